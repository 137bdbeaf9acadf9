{{- define "rag-operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "rag-operator.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rag-operator.labels" -}}
{{ include "rag-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: rag-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "rag-operator.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}{{ default (include "rag-operator.fullname" .) .Values.serviceAccount.name }}
{{- else -}}{{ required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "rag-operator.image" -}}
{{- with .Values.image -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end }}

{{/* Whether the webhook is there: it needs cluster-wide objects, which an operator of some namespaces must not touch. */}}
{{- define "rag-operator.webhook" -}}
{{- if and .Values.webhook.enabled (not .Values.watchNamespaces) }}true{{ end }}
{{- end }}

{{/* What must not go together, said before anything is made. */}}
{{- define "rag-operator.check" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount above 1 needs leaderElection.enabled: several operators that all act would fight" }}
{{- end }}
{{- if and (include "rag-operator.webhook" .) (eq (int .Values.webhook.port) (int .Values.metrics.port)) }}
{{- fail "webhook.port and metrics.port must differ: one speaks TLS, the other does not" }}
{{- end }}
{{- if and .Values.requests.requireIdentity (not (include "rag-operator.webhook" .)) }}
{{- fail "requests.requireIdentity needs webhook.enabled and all namespaces (watchNamespaces empty): without the webhook nobody stamps requests, and all but abort and pause would be refused" }}
{{- end }}
{{- if not .Values.watchNamespaces }}
{{- range $source, $values := .Values.metricSources }}
{{- if not (or $values.namespaces (contains "$(namespace)" (dig "tenantHeader" "value" "" $values))) }}
{{- fail (printf "metricSources.%s.namespaces is needed: the namespaces whose RagDeployments may use the source, or [\"*\"] for all; who may use it reads all that it has" $source) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where a source's secrets are mounted. */}}
{{- define "rag-operator.sourceFolder" -}}/etc/rag-operator/sources/{{ . }}{{- end }}

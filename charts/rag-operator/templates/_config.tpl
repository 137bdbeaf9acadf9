{{/* The operator's own configuration: docs/configuration.md of the project lists its keys. */}}
{{- define "rag-operator.config" -}}
{{- $name := include "rag-operator.fullname" . -}}
{{- $config := dict
  "leaderElection" (dict "enabled" .Values.leaderElection.enabled "name" $name
    "leaseDuration" .Values.leaderElection.leaseDuration "renewDeadline" .Values.leaderElection.renewDeadline "retryPeriod" .Values.leaderElection.retryPeriod)
  "http" (dict "port" (int .Values.metrics.port))
  "log" (dict "level" .Values.logLevel "format" .Values.logFormat) -}}
{{- with .Values.watchNamespaces }}{{ $_ := set $config "watchNamespace" (join "," .) }}{{ end -}}
{{- with .Values.workers }}{{ $_ := set $config "workers" (int .) }}{{ end -}}
{{- with .Values.otlp }}{{ if .endpoint }}{{ $_ := set $config "otlp" (dict "endpoint" .endpoint "protocol" .protocol) }}{{ end }}{{ end -}}
{{- with .Values.presets }}{{ $_ := set $config "presets" . }}{{ end -}}
{{- with .Values.podEnvironment }}{{ $_ := set $config "podEnvironment" . }}{{ end -}}
{{- $sources := dict -}}
{{- range $source, $values := .Values.metricSources }}{{ $_ := set $sources $source (include "rag-operator.source" (list $source $values) | fromYaml) }}{{ end -}}
{{- if $sources }}{{ $_ := set $config "metricSources" $sources }}{{ end -}}
{{- if include "rag-operator.webhook" . -}}
{{- $webhook := dict "enabled" true "port" (int .Values.webhook.port) "serviceName" (printf "%s-webhook" $name) "configurationName" $name "secretName" (printf "%s-webhook" $name) -}}
{{- if .Values.webhook.certManager.enabled }}{{ $_ := set $webhook "certDir" "/etc/rag-operator/webhook" }}{{ end -}}
{{- $_ := set $config "webhook" $webhook -}}
{{- if .Values.requests.requireIdentity }}{{ $_ := set $config "requests" (dict "requireIdentity" true) }}{{ end -}}
{{- end -}}
{{ toYaml $config }}
{{- end }}

{{- define "rag-operator.source" -}}
{{- $folder := include "rag-operator.sourceFolder" (index . 0) -}}
{{- with index . 1 -}}
url: {{ .url | quote }}
{{- with .timeout }}
timeout: {{ . | quote }}
{{- end }}
{{- with .maxBodyBytes }}
maxBodyBytes: {{ . | quote }}
{{- end }}
{{- with .maxConcurrency }}
maxConcurrency: {{ int . }}
{{- end }}
{{- with .method }}
method: {{ . }}
{{- end }}
{{- if .bearerTokenSecret }}
bearerTokenFile: {{ $folder }}/token
{{- end }}
{{- with .basicAuth }}
basicAuth: {username: {{ .username | quote }}, passwordFile: {{ $folder }}/password}
{{- end }}
{{- if .ca }}
caFile: {{ $folder }}/ca.crt
{{- end }}
{{- if .insecureSkipVerify }}
insecureSkipVerify: true
{{- end }}
{{- with .tenantHeader }}
tenantHeader: {name: {{ .name | quote }}, {{ if .valueSecret }}valueFile: {{ $folder }}/tenant{{ else }}value: {{ .value | quote }}{{ end }}}
{{- end }}
{{- with .namespaces }}
namespaces: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* The files that a source's configuration names, as sources of a projected volume. */}}
{{- define "rag-operator.sourceFiles" -}}
{{- with .bearerTokenSecret }}
- secret: {name: {{ .name }}, items: [{key: {{ .key | quote }}, path: token}]}
{{- end }}
{{- with .basicAuth }}
- secret: {name: {{ .passwordSecret.name }}, items: [{key: {{ .passwordSecret.key | quote }}, path: password}]}
{{- end }}
{{- with .ca }}
{{- with .secret }}
- secret: {name: {{ .name }}, items: [{key: {{ .key | quote }}, path: ca.crt}]}
{{- end }}
{{- with .configMap }}
- configMap: {name: {{ .name }}, items: [{key: {{ .key | quote }}, path: ca.crt}]}
{{- end }}
{{- end }}
{{- with .tenantHeader }}
{{- with .valueSecret }}
- secret: {name: {{ .name }}, items: [{key: {{ .key | quote }}, path: tenant}]}
{{- end }}
{{- end }}
{{- end }}

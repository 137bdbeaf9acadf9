{{/* What the operator may do where it watches: in a ClusterRole for all namespaces, or in a Role for each of some. */}}
{{- define "rag-operator.rules" -}}
- apiGroups: [ragoperator.dev]
  resources: [ragdeployments]
  verbs: [get, list, watch, patch] # patch: only to take the request annotation away
- apiGroups: [ragoperator.dev]
  resources: [ragdeployments/status]
  verbs: [patch]
- apiGroups: [ragoperator.dev]
  resources: [ragdeployments/finalizers]
  verbs: [update] # owner references with blockOwnerDeletion ask for it
- apiGroups: [apps]
  resources: [deployments, controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [endpoints] # where the server has no EndpointSlices
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch] # it goes with its owner
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

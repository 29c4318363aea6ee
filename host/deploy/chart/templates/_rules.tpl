{{/* What keymill may do where its objects are; rbac.yaml beside the chart says for each rule which code needs it. */}}
{{- define "keymill.rules" -}}
{{- $all := empty .Values.namespaces -}}
- apiGroups: [external-secrets.io]
  resources: [externalsecrets, pushsecrets]
  verbs: [get, list, watch, patch]
- apiGroups: [external-secrets.io]
  resources: [secretstores{{ if $all }}, clustersecretstores{{ end }}]
  verbs: [get, list, watch, patch]
- apiGroups: [external-secrets.io]
  resources: [externalsecrets/status, pushsecrets/status, secretstores/status{{ if $all }}, clustersecretstores/status{{ end }}]
  verbs: [patch]
- apiGroups: [external-secrets.io]
  resources: [externalsecrets/finalizers, pushsecrets/finalizers]
  verbs: [update]
- apiGroups: [generators.external-secrets.io]
  resources: [{{ if $all }}clustergenerators, {{ end }}fakes, passwords, uuids]
  verbs: [get, list, watch]
- apiGroups: [keymill.dev]
  resources: [generators, policies, components, grants{{ if $all }}, clusterpolicies, clustercomponents{{ end }}]
  verbs: [list, watch]
- apiGroups: [keymill.dev]
  resources: [generators]
  verbs: [get]
- apiGroups: [keymill.dev]
  resources: [generators/status, policies/status, components/status, grants/status{{ if $all }}, clusterpolicies/status, clustercomponents/status{{ end }}]
  verbs: [patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
{{- if .Values.rbac.mintTokens }}
- apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
{{- end }}
{{- if $all }}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- end }}
{{- if include "keymill.admits" . }}
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [{{ include "keymill.name" . }}]
  verbs: [get, patch]
{{- end }}
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

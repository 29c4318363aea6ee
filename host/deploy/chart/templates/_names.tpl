{{- define "keymill.name" -}}
{{- if contains "keymill" .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-keymill" .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "keymill.selector" -}}
app.kubernetes.io/name: keymill
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "keymill.labels" -}}
{{ include "keymill.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "keymill.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Whether there is admission: not in some namespaces only, since the configuration of a webhook is the whole cluster's. */}}
{{- define "keymill.admits" -}}
{{- if and .Values.admission.enabled (empty .Values.namespaces) -}}
true
{{- end -}}
{{- end -}}

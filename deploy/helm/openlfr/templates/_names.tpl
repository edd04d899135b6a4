{{/* Names and labels. */}}

{{- define "openlfr.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels by which pods are selected: (dict "root" $ "component" NAME). They never change. */}}
{{- define "openlfr.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "openlfr.labels" -}}
{{ include "openlfr.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: openlfr
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* One service's whole values as YAML: the defaults, overridden by services.NAME. */}}
{{- define "openlfr.service" -}}
{{- mustMergeOverwrite (deepCopy .root.Values.serviceDefaults) (deepCopy (index .root.Values.services .name)) | toYaml -}}
{{- end -}}

{{/* The target of the Dockerfile that a service runs: (dict "name" NAME "service" SERVICE). */}}
{{- define "openlfr.target" -}}
{{- if .service.image.target -}}
{{- .service.image.target -}}
{{- else if eq .name "operator" -}}
alerting
{{- else if eq .name "analysis" -}}
{{- ternary "analysis-gpu" "analysis-cpu" (gt (int .service.gpu.count) 0) -}}
{{- else -}}
{{- .name -}}
{{- end -}}
{{- end -}}

{{/* The command of a service's container: (dict "name" NAME "service" SERVICE). The operator's pod waits for
people's commands, and ends at once on SIGTERM. */}}
{{- define "openlfr.command" -}}
{{- if eq .name "operator" -}}
{{- $wait := "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); signal.pause()" -}}
{{- list "python" "-c" $wait | toJson -}}
{{- else -}}
{{- list "openlfr" "service" .name "--config" "/etc/openlfr/CONFIG.yaml" | toJson -}}
{{- end -}}
{{- end -}}

{{/* (dict "root" $ "target" TARGET "tag" TAG "digest" DIGEST) */}}
{{- define "openlfr.image" -}}
{{- with .root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .root.Values.image.prefix }}-{{ .target -}}
{{- if .digest -}}
@{{ .digest }}
{{- else -}}
:{{ .tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "openlfr.kafkaCluster" -}}
{{ include "openlfr.fullname" . }}-kafka
{{- end -}}

{{- define "openlfr.kafkaBrokers" -}}
{{- if .Values.kafka.strimzi.enabled -}}
{{ include "openlfr.kafkaCluster" . }}-kafka-bootstrap.{{ .Release.Namespace }}.svc:9093
{{- else -}}
{{ .Values.kafka.brokers | nospace }}
{{- end -}}
{{- end -}}

{{/* With Strimzi every client has a certificate, the only authentication that its user operator supports for KEDA. */}}
{{- define "openlfr.kafkaAuth" -}}
{{- ternary "tls" .Values.kafka.auth .Values.kafka.strimzi.enabled -}}
{{- end -}}

{{/* The Secret of a Kafka user: (dict "root" $ "user" NAME "secret" SECRET). */}}
{{- define "openlfr.kafkaSecret" -}}
{{- if .root.Values.kafka.strimzi.enabled -}}
{{ include "openlfr.fullname" .root }}-{{ .user }}
{{- else -}}
{{ .secret }}
{{- end -}}
{{- end -}}

{{- define "openlfr.modelsClaim" -}}
{{ .Values.models.volume.existingClaim | default (printf "%s-models" (include "openlfr.fullname" .)) }}
{{- end -}}

{{- define "openlfr.evidenceClaim" -}}
{{ .Values.evidence.volume.existingClaim | default (printf "%s-evidence" (include "openlfr.fullname" .)) }}
{{- end -}}

{{/* Whether pods can reach the cluster's API server: only where a policy lets them, or there is none. */}}
{{- define "openlfr.reachesApiServer" -}}
{{- if or (not .Values.networkPolicy.enabled) .Values.networkPolicy.apiServer.cidrs }}true{{ end -}}
{{- end -}}

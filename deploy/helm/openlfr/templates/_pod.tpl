{{/* Settings of all pods: no root user, and only the listed volumes are writable. */}}

{{- define "openlfr.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "openlfr.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A Job's pod: (dict "root" $ "component" NAME "service" NAME "command" LIST "uses" LIST
"kafkaSecret" NAME "models" BOOL). It runs the image of a service, so that both have one version, and
uses `serviceDefaults` as services do. A hook runs before the release's own resources exist: it
needs only your Secrets and earlier hooks (job-accounts.yaml, networkpolicies.yaml). */}}
{{- define "openlfr.jobPod" -}}
{{- $values := .root.Values -}}
{{- $defaults := $values.serviceDefaults -}}
{{- $jobs := $values.jobs -}}
{{- $service := include "openlfr.service" (dict "root" .root "name" .service) | fromYaml -}}
metadata:
  labels:
    {{- include "openlfr.labels" . | nindent 4 }}
    {{- with $jobs.podLabels | default $defaults.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $jobs.podAnnotations | default $defaults.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  # A failed pod stays, with its log.
  restartPolicy: Never
  serviceAccountName: {{ include "openlfr.jobAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  shareProcessNamespace: true
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    {{- include "openlfr.podSecurity" . | nindent 4 }}
  containers:
    - name: {{ .component }}
      image: {{ include "openlfr.image" (dict "root" .root "tag" $service.image.tag "digest" $service.image.digest
                  "target" (include "openlfr.target" (dict "name" .service "service" $service))) }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      command: {{ .command | toJson }}
      # The pod's status then contains its last message.
      terminationMessagePolicy: FallbackToLogsOnError
      env:
        - name: HOME
          value: /tmp
        {{- if .models }}
        - name: OPENLFR_MODELS
          value: /models
        {{- end }}
        {{- with include "openlfr.connections.env" . | trim }}
        {{- . | nindent 8 }}
        {{- end }}
      securityContext:
        {{- include "openlfr.containerSecurity" . | nindent 8 }}
      resources:
        {{- toYaml $jobs.resources | nindent 8 }}
      volumeMounts:
        - name: scratch
          mountPath: /tmp
        {{- if .uses }}
        - name: etc
          mountPath: /etc/openlfr
          readOnly: true
        {{- end }}
        {{- if .models }}
        - name: models
          mountPath: /models
        {{- end }}
  volumes:
    - name: scratch
      emptyDir:
        sizeLimit: 1Gi
    {{- if .uses }}
    {{- include "openlfr.connections.volume" . | nindent 4 }}
    {{- end }}
    {{- if .models }}
    - name: models
      persistentVolumeClaim:
        claimName: {{ include "openlfr.modelsClaim" .root }}
    {{- end }}
  {{- with $jobs.nodeSelector | default $defaults.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $jobs.tolerations | default $defaults.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $jobs.affinity | default $defaults.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- else }}
  {{- if and .models $service.enabled (ne $values.models.volume.accessMode "ReadWriteMany") }}
  # Only one node mounts the volume, so the Job must run on the node of the workers that read the models.
  # On different nodes each would wait for the other.
  affinity:
    podAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        - {{- include "openlfr.nodeOf" (dict "root" .root "component" .service) | nindent 10 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/* The spec of every Job except its name and pod: (dict "root" $ "hook" BOOL). A hook's time limit is below
helm's, so that its own failure is reported, not a timeout. Exit code 3 means that a server does not answer
(yet). Codes 1 and 2 mean wrong values, rights or CONFIG.yaml, which a retry cannot fix: the hook fails
at once, and its pod's log has the reason. A Job beside the release tries longer, because the volume or
Strimzi's users may not exist yet. */}}
{{- define "openlfr.jobLimits" -}}
backoffLimit: {{ .root.Values.jobs.backoffLimit }}
activeDeadlineSeconds: {{ ternary .root.Values.jobs.activeDeadlineSeconds 1800 .hook }}
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions:
        # The drain of a node is not a failure of the Job.
        - {type: DisruptionTarget, status: "True"}
    {{- if .hook }}
    - action: FailJob
      onExitCodes: {operator: In, values: [1, 2]}
    {{- end }}
{{- end -}}

{{- define "openlfr.jobAccount" -}}
{{ .root.Values.jobs.serviceAccount | default (printf "%s-%s" (include "openlfr.fullname" .root) .component) }}
{{- end -}}

{{/* The Jobs of this release, as YAML: name -> uses, hook, internet. */}}
{{- define "openlfr.jobs" -}}
{{- if .Values.jobs.topics }}
topics: {uses: [kafka], hook: {{ not .Values.kafka.strimzi.enabled }}}
{{- end }}
{{- if .Values.jobs.migrations }}
migrations: {uses: [sql], hook: true}
{{- end }}
{{- if and .Values.models.install (eq .Values.models.source "volume") }}
models: {uses: [], hook: false, internet: true}
{{- end }}
{{- end -}}

{{/* A term of affinity: the node of a component's pods. (dict "root" $ "component" NAME). */}}
{{- define "openlfr.nodeOf" -}}
topologyKey: kubernetes.io/hostname
labelSelector:
  matchLabels:
    {{- include "openlfr.selectorLabels" . | nindent 4 }}
{{- end -}}

{{/* Affinity of a service with a volume that only one node can mount: (dict "root" $ "name" NAME). The
operator's pod mounts both volumes, so it runs beside alerting (evidence), and alerting runs beside analysis
(models). Several terms at once would require one pod that matches all of them. */}}
{{- define "openlfr.besideVolumes" -}}
{{- $values := .root.Values -}}
{{- $on := dict -}}
{{- range $name := list "analysis" "alerting" "operator" -}}
{{- $_ := set $on $name (include "openlfr.service" (dict "root" $.root "name" $name) | fromYaml).enabled -}}
{{- end -}}
{{- $evidence := and $on.alerting (ne $values.evidence.volume.accessMode "ReadWriteMany") -}}
{{- $models := and $on.analysis (eq $values.models.source "volume") (ne $values.models.volume.accessMode "ReadWriteMany") -}}
{{- $beside := "" -}}
{{- if eq .name "operator" }}{{ $beside = ternary "alerting" (ternary "analysis" "" $models) $evidence }}{{ end -}}
{{- if and (eq .name "alerting") $evidence $models $on.operator }}{{ $beside = "analysis" }}{{ end -}}
{{- $near := and (eq .name "alerting") $evidence $on.operator -}}
{{- if or $beside $near -}}
podAffinity:
  {{- with $beside }}
  requiredDuringSchedulingIgnoredDuringExecution:
    - {{- include "openlfr.nodeOf" (dict "root" $.root "component" .) | nindent 6 }}
  {{- end }}
  {{- if $near }}
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        {{- include "openlfr.nodeOf" (dict "root" .root "component" "operator") | nindent 8 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Annotations of a hook: (dict "weight" N "job" BOOL). */}}
{{- define "openlfr.hookAnnotations" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- if .job }}
# Helm 4 prints the log of a failed hook; with older versions use `kubectl logs`.
helm.sh/hook-output-log-policy: hook-failed
{{- end }}
{{- end -}}

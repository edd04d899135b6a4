{{/* What all pods have in common: nobody is root, nothing is writable but what is listed. */}}

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

{{/* A Job's pod: (dict "root" $ "component" NAME "target" TARGET "command" LIST "uses" LIST
"kafkaSecret" NAME "models" BOOL). Hooks run before the release's own resources exist, so that it
needs nothing but Secrets of yours. */}}
{{- define "openlfr.jobPod" -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    {{- include "openlfr.labels" . | nindent 4 }}
spec:
  restartPolicy: OnFailure
  automountServiceAccountToken: false
  enableServiceLinks: false
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
      image: {{ include "openlfr.image" (dict "root" .root "target" .target) }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      command: {{ .command | toJson }}
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
        {{- toYaml $values.jobs.resources | nindent 8 }}
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
{{- end -}}

{{/* Name, annotations and limits of a Job that is a hook: (dict "root" $ "component" NAME "weight" N). */}}
{{- define "openlfr.hookAnnotations" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* Common parts of KEDA's ScaledObjects and plain HorizontalPodAutoscalers. */}}

{{/* Up quickly, down slowly: each change stops the whole group for a moment. */}}
{{- define "openlfr.scalingBehavior" -}}
scaleUp:
  policies:
    - {type: Percent, value: 50, periodSeconds: 60}
    - {type: Pods, value: 2, periodSeconds: 60}
  selectPolicy: Max
scaleDown:
  stabilizationWindowSeconds: {{ .calmSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: {{ .stepDownSeconds }}}
{{- end -}}

{{/* The rest of a Prometheus trigger: KEDA's authentication. */}}
{{- define "openlfr.prometheusAccess" -}}
{{- if ne .Values.metrics.prometheusAuth "none" }}
  authModes: {{ .Values.metrics.prometheusAuth }}
authenticationRef:
  name: {{ include "openlfr.fullname" . }}-prometheus
{{- end }}
{{- end -}}

{{/* What KEDA's ScaledObjects and plain HorizontalPodAutoscalers have in common. */}}

{{/* Up quickly, down slowly: each change halts the whole group for a moment. */}}
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

{{/* The rest of a trigger by Prometheus: how KEDA says who it is. */}}
{{- define "openlfr.prometheusAccess" -}}
{{- if ne .Values.metrics.prometheusAuth "none" }}
  authModes: {{ .Values.metrics.prometheusAuth }}
authenticationRef:
  name: {{ include "openlfr.fullname" . }}-prometheus
{{- end }}
{{- end -}}

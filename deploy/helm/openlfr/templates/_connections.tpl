{{/*
How a pod reaches the servers that it uses. Addresses are environment; secrets are files under
/etc/openlfr, which do not show in `kubectl describe` or a crash report and follow a rotation.
Each takes (dict "root" $ "uses" LIST "kafkaSecret" NAME "config" SECRET "vault" BOOL "control" BOOL "own" DICT);
`own` holds the user and the Secret that this pod has for itself on a store, as services.NAME does.
*/}}

{{/* The address of a store, with the pod's own user in it: (dict "root" $ "store" NAME "user" USER). */}}
{{- define "openlfr.storeUrl" -}}
{{- $url := (index .root.Values .store).url -}}
{{- if .user -}}
{{- regexReplaceAll "^([a-z+]+://)([^/@]*@)?" $url (printf "${1}%s@" .user) -}}
{{- else -}}
{{- $url -}}
{{- end -}}
{{- end -}}

{{- define "openlfr.connections.env" -}}
{{- $values := .root.Values -}}
{{- if has "kafka" .uses }}
{{- $auth := include "openlfr.kafkaAuth" .root }}
- name: OPENLFR_KAFKA_URL
  value: kafka://{{ include "openlfr.kafkaBrokers" .root }}
- name: OPENLFR_KAFKA_TLS
  value: {{ or $values.kafka.tls $values.kafka.strimzi.enabled | quote }}
- name: OPENLFR_KAFKA_AUTH
  value: {{ $auth }}
{{- if eq $auth "tls" }}
- name: OPENLFR_KAFKA_CERT_FILE
  value: /etc/openlfr/kafka/user.crt
- name: OPENLFR_KAFKA_KEY_FILE
  value: /etc/openlfr/kafka/user.key
{{- else if ne $auth "none" }}
- name: OPENLFR_KAFKA_USERNAME_FILE
  value: /etc/openlfr/kafka/username
- name: OPENLFR_KAFKA_PASSWORD_FILE
  value: /etc/openlfr/kafka/password
{{- end }}
{{- if or $values.kafka.strimzi.enabled $values.kafka.caSecret.name }}
- name: OPENLFR_KAFKA_CA_FILE
  value: /etc/openlfr/kafka/ca.crt
{{- end }}
- name: OPENLFR_TOPICS
  value: {{ include "openlfr.topics" .root | quote }}
{{- end }}
{{- range $store := list "redis" "milvus" "sql" }}
{{- if has $store $.uses }}
{{- $of := index $values $store }}
{{- $own := index ($.own | default dict) $store | default dict }}
- name: OPENLFR_{{ upper $store }}_URL
  value: {{ include "openlfr.storeUrl" (dict "root" $.root "store" $store "user" $own.user) | quote }}
{{- if $of.auth }}
- name: OPENLFR_{{ upper $store }}_PASSWORD_FILE
  value: /etc/openlfr/{{ $store }}/password
{{- end }}
{{- if $of.caSecret.name }}
- name: OPENLFR_{{ upper $store }}_CA_FILE
  value: /etc/openlfr/{{ $store }}/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* One projected volume; 288 is 0440: readable by the pod's own group alone. */}}
{{- define "openlfr.connections.volume" -}}
{{- $values := .root.Values -}}
- name: etc
  projected:
    defaultMode: 288
    sources:
      {{- if .config }}
      - secret:
          name: {{ .config }}
          items: [{key: {{ $values.config.secret.key }}, path: CONFIG.yaml}]
      {{- end }}
      {{- if .vault }}
      - secret:
          name: {{ $values.evidence.keySecret.name }}
          items: [{key: {{ $values.evidence.keySecret.key }}, path: vault.key}]
      {{- end }}
      {{- if .control }}
      - secret:
          name: {{ $values.evidence.controlKeySecret.name | default $values.evidence.keySecret.name }}
          items: [{key: {{ $values.evidence.controlKeySecret.key }}, path: control.key}]
      {{- end }}
      {{- if has "kafka" .uses }}
      {{- $auth := include "openlfr.kafkaAuth" .root }}
      {{- if ne $auth "none" }}
      - secret:
          name: {{ .kafkaSecret }}
          items:
            {{- range $key := ternary (list "user.crt" "user.key") (list "username" "password") (eq $auth "tls") }}
            - {key: {{ $key }}, path: kafka/{{ $key }}}
            {{- end }}
      {{- end }}
      {{- if $values.kafka.strimzi.enabled }}
      - secret:
          name: {{ include "openlfr.kafkaCluster" .root }}-cluster-ca-cert
          items: [{key: ca.crt, path: kafka/ca.crt}]
      {{- else if $values.kafka.caSecret.name }}
      - secret:
          name: {{ $values.kafka.caSecret.name }}
          items: [{key: {{ $values.kafka.caSecret.key }}, path: kafka/ca.crt}]
      {{- end }}
      {{- end }}
      {{- range $store := list "redis" "milvus" "sql" }}
      {{- if has $store $.uses }}
      {{- $of := index $values $store }}
      {{- if $of.auth }}
      - secret:
          name: {{ (index ($.own | default dict) $store | default dict).secret | default $of.secret.name }}
          items: [{key: {{ $of.secret.key }}, path: {{ $store }}/password}]
      {{- end }}
      {{- if $of.caSecret.name }}
      - secret:
          name: {{ $of.caSecret.name }}
          items: [{key: {{ $of.caSecret.key }}, path: {{ $store }}/ca.crt}]
      {{- end }}
      {{- end }}
      {{- end }}
{{- end -}}

{{/* CONFIG.yaml's block `topics`, as JSON: what is applied, and what every service checks. */}}
{{- define "openlfr.topics" -}}
{{- $partitions := dict -}}
{{- range $topic, $count := .Values.topics.partitions -}}
{{- $_ := set $partitions $topic (int $count) -}}
{{- end -}}
{{- $topics := dict "replication" (int .Values.topics.replication) "frames_transit" .Values.topics.framesTransit "partitions" $partitions -}}
{{- with .Values.topics.framesRetention }}{{ $_ := set $topics "frames_retention" . }}{{ end -}}
{{- $topics | toJson -}}
{{- end -}}

{{/* Ports of a server, one a line: (dict "root" $ "store" NAME). */}}
{{- define "openlfr.ports" -}}
{{- $standard := dict "redis" "6379" "rediss" "6379" "http" "19530" "https" "443" "postgresql" "5432" -}}
{{- $ports := list -}}
{{- if eq .store "kafka" -}}
{{- range $broker := splitList "," (include "openlfr.kafkaBrokers" .root) -}}
{{- $ports = append $ports (regexFind "[0-9]+$" $broker) -}}
{{- end -}}
{{- else -}}
{{- $url := urlParse (index .root.Values .store).url -}}
{{- $scheme := $url.scheme | splitList "+" | first -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (get $standard $scheme)) -}}
{{- end -}}
{{- join "\n" (uniq (compact $ports)) -}}
{{- end -}}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	wire "example.org/consume-alerts/openlfr/wire/v1"
)

// golden is a record of a released version, as protos/released/VERSION/golden.json keeps it.
type golden struct {
	Message string            `json:"message"`
	Headers map[string]string `json:"headers"`
	Value   []byte            `json:"value"`
	Fields  map[string]any    `json:"fields"`
}

func (g golden) record() *kgo.Record {
	record := &kgo.Record{Topic: topic, Value: g.Value}
	for key, value := range g.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	return record
}

// goldenAlerts are the alerts of every released version, by version and name.
func goldenAlerts(t *testing.T) map[string]golden {
	files, err := filepath.Glob("../../protos/released/*/golden.json")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no golden bytes beside ../../protos", err)
	}
	found := map[string]golden{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]golden
		if err := json.Unmarshal(content, &all); err != nil {
			t.Fatal(file, err)
		}
		for name, each := range all {
			if each.Message == schema {
				found[filepath.Base(filepath.Dir(file))+": "+name] = each
			}
		}
	}
	return found
}

func TestGoldenAlertsAreRead(t *testing.T) {
	for name, each := range goldenAlerts(t) {
		t.Run(name, func(t *testing.T) {
			line, err := parse(each.record())
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := line.write(&out); err != nil {
				t.Fatal(err)
			}
			var printed map[string]any
			if err := json.Unmarshal(out.Bytes(), &printed); err != nil {
				t.Fatal(err)
			}
			for _, same := range []string{"event_id", "alert_id", "subject", "camera", "score", "quality"} {
				if printed[same] != each.Fields[same] {
					t.Errorf("%s: %v, not %v", same, printed[same], each.Fields[same])
				}
			}
			event := "EVENT_" + strings.ToUpper(line.Event)
			if event != each.Fields["event"] || line.CapturedAt != "2026-11-23T09:00:00.123Z" {
				t.Errorf("%s at %s", event, line.CapturedAt)
			}
			if _, flagged := each.Fields["impossible"]; flagged != (line.Impossible != nil) {
				t.Errorf("flagged: %v", line.Impossible)
			}
		})
	}
}

func TestWhatCannotBeReadIsLeftOutWithTheReason(t *testing.T) {
	whole := goldenAlerts(t)["0.1.0: alert, opened"]
	changed := func(change func(*wire.Alert)) []byte {
		alert := &wire.Alert{}
		if err := proto.Unmarshal(whole.Value, alert); err != nil {
			t.Fatal(err)
		}
		change(alert)
		value, err := proto.Marshal(alert)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	for reason, value := range map[string][]byte{
		"it cannot be parsed":                []byte("garbage"),
		"it lacks its event_id":              nil,
		"it lacks its box":                   changed(func(a *wire.Alert) { a.Box = nil }),
		"nobody here knows its event 9":      changed(func(a *wire.Alert) { a.Event = wire.Alert_Event(9).Enum() }),
		"one of its moments is none":         changed(func(a *wire.Alert) { a.CapturedAt.Nanos = -5 }),
		"one of its numbers is not finite":   changed(func(a *wire.Alert) { a.Score = proto.Float64(math.NaN()) }),
		"it is a openlfr.wire.v1.Frame, not": nil,
	} {
		record := (golden{Value: value}).record()
		if strings.HasSuffix(reason, "not") {
			record = (golden{Headers: map[string]string{"schema": "openlfr.wire.v1.Frame"}}).record()
		}
		if _, err := parse(record); err == nil || !strings.HasPrefix(err.Error(), reason) {
			t.Errorf("%v, not: %s", err, reason)
		}
	}
}

func TestAFieldOfANewerVersionIsLeftAlone(t *testing.T) {
	each := goldenAlerts(t)["0.1.0: alert, opened"]
	each.Value = append(bytes.Clone(each.Value), "\xc2\x3e\x05newer"...) // field 1000
	if _, err := parse(each.record()); err != nil {
		t.Error(err)
	}
}

func TestIdsAreForgottenOldestFirst(t *testing.T) {
	ids := newSeen(2)
	said := ""
	for _, id := range strings.Split("a a b c a c", " ") {
		said += fmt.Sprint(ids.isNew(id), " ")
	}
	if said != "true false true true true false " {
		t.Error(said)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for words, reason := range map[string]string{
		"":                           "-group is required",
		"-group g more":              `unknown argument "more"`,
		"-group g -sasl plain":       "-sasl needs -username and -password-file",
		"-group g -username u":       "need -sasl",
		"-group g -ca-file f":        "need -tls",
		"-group g -tls -cert-file f": "need each other",
	} {
		if _, err := parseOptions(strings.Fields(words), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: %v, not: %s", words, err, reason)
		}
	}
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	wire "example.org/consume-alerts/openlfr/wire/v1"
)

// required are the fields without which a message was cut short; others may be absent.
var required = []protoreflect.Name{
	"event_id", "alert_id", "subject", "camera", "frame_index", "captured_at", "emitted_at", "box",
	"score", "threshold", "quality",
}

// alertLine is an event as `openlfr run` prints it.
type alertLine struct {
	Event       string      `json:"event"`
	EventID     string      `json:"event_id"`
	AlertID     string      `json:"alert_id"`
	Subject     string      `json:"subject"`
	Camera      string      `json:"camera"`
	FrameIndex  int64       `json:"frame_index"`
	CapturedAt  string      `json:"captured_at"`
	EmittedAt   string      `json:"emitted_at"`
	Box         [4]float64  `json:"box"`
	Score       float64     `json:"score"`
	Threshold   float64     `json:"threshold"`
	Quality     float64     `json:"quality"`
	TimeAssumed bool        `json:"time_assumed"`
	Impossible  *impossible `json:"impossible,omitempty"`
}

// impossible says why the sighting cannot be right beside another one of its subject.
type impossible struct {
	Why     string  `json:"why"`
	Camera  string  `json:"camera"`
	Seconds float64 `json:"seconds"`
	Metres  int64   `json:"metres"`
}

// write prints it, names as they are: no reader is a web page.
func (line alertLine) write(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(line)
}

// parse reads a record; an error says why it is none that we can use.
func parse(record *kgo.Record) (alertLine, error) {
	named := schema
	for _, header := range record.Headers { // the last of a name counts
		if header.Key == "schema" {
			named = string(header.Value)
		}
	}
	if named != schema {
		return alertLine{}, fmt.Errorf("it is a %s, not a %s", named, schema)
	}
	alert := &wire.Alert{}
	if err := proto.Unmarshal(record.Value, alert); err != nil {
		return alertLine{}, errors.New("it cannot be parsed")
	}
	message := alert.ProtoReflect()
	for _, name := range required {
		if !message.Has(message.Descriptor().Fields().ByName(name)) {
			return alertLine{}, fmt.Errorf("it lacks its %s", name)
		}
	}
	event := alert.GetEvent()
	if event != wire.Alert_EVENT_OPENED && event != wire.Alert_EVENT_JOINED {
		return alertLine{}, fmt.Errorf("nobody here knows its event %d", event)
	}
	if alert.CapturedAt.CheckValid() != nil || alert.EmittedAt.CheckValid() != nil {
		return alertLine{}, errors.New("one of its moments is none")
	}
	line := asLine(alert)
	for _, number := range line.numbers() { // JSON has no word for these
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return alertLine{}, errors.New("one of its numbers is not finite")
		}
	}
	return line, nil
}

func (line alertLine) numbers() []float64 {
	numbers := append(line.Box[:], line.Score, line.Threshold, line.Quality)
	if line.Impossible != nil {
		numbers = append(numbers, line.Impossible.Seconds)
	}
	return numbers
}

func asLine(alert *wire.Alert) alertLine {
	box := alert.GetBox()
	line := alertLine{
		Event:       word(alert.GetEvent().String()),
		EventID:     alert.GetEventId(),
		AlertID:     alert.GetAlertId(),
		Subject:     alert.GetSubject(),
		Camera:      alert.GetCamera(),
		FrameIndex:  alert.GetFrameIndex(),
		CapturedAt:  utc(alert.GetCapturedAt()),
		EmittedAt:   utc(alert.GetEmittedAt()),
		Box:         [4]float64{round(box.GetX(), 1), round(box.GetY(), 1), round(box.GetW(), 1), round(box.GetH(), 1)},
		Score:       round(alert.GetScore(), 4),
		Threshold:   round(alert.GetThreshold(), 4),
		Quality:     round(alert.GetQuality(), 1),
		TimeAssumed: alert.GetTimeAssumed(),
	}
	flag := alert.GetImpossible()
	if _, known := wire.Impossible_Why_name[int32(flag.GetWhy())]; known && flag.GetWhy() != 0 {
		line.Impossible = &impossible{word(flag.GetWhy().String()), flag.GetCamera(), flag.GetSeconds(), flag.GetMetres()}
	}
	return line
}

// word is `opened` for EVENT_OPENED.
func word(name string) string {
	_, after, _ := strings.Cut(name, "_")
	return strings.ToLower(after)
}

// utc is ISO 8601 with milliseconds.
func utc(moment *timestamppb.Timestamp) string {
	return moment.AsTime().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}

// round is exact in decimals, as Python's is.
func round(value float64, places int) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'f', places, 64), 64)
	return rounded
}

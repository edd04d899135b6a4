// Command consume-alerts prints every alert of OpenLFR as a JSON line: a consumer of the topic
// alerts.v1 to begin with. It needs a Kafka client and what protos/ generate, nothing of OpenLFR.
//
//	go run . -bootstrap localhost:9092 -group my-console
//
// It only reads, in a group of its own, and prints each event once while it runs. docs/topics.md
// says what stands on the topic. The keys are those of the JSON lines of `openlfr run`.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

//go:generate buf generate

const (
	topic  = "alerts.v1"
	schema = "openlfr.wire.v1.Alert"
	// answered is how long an answer is waited for, the first one of all and that to a commit.
	answered = 20 * time.Second

	usage       = 2
	unavailable = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run reads until ctx is done; the exit code.
func run(ctx context.Context, words []string, out, complaints io.Writer) int {
	asked, err := parseOptions(words, complaints)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(complaints, err)
		return usage
	}
	settings, err := asked.client()
	if err != nil {
		fmt.Fprintln(complaints, err)
		return usage
	}
	client, err := connect(ctx, settings)
	if err != nil {
		fmt.Fprintf(complaints, "Kafka at %s: %v\n", asked.bootstrap, err)
		return unavailable
	}
	defer client.CloseAllowingRebalance()
	if err := consume(ctx, client, out, complaints); err != nil && ctx.Err() == nil {
		fmt.Fprintf(complaints, "Kafka at %s: %v\n", asked.bootstrap, err)
		return unavailable
	}
	return 0
}

func connect(ctx context.Context, settings []kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(settings...)
	if err != nil {
		return nil, err
	}
	// The client tries for ever; whoever starts this wants to know that nobody answers.
	first, cancel := context.WithTimeout(ctx, answered)
	defer cancel()
	if err := client.Ping(first); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// consume prints; what is printed is committed, so that a restart goes on.
func consume(ctx context.Context, client *kgo.Client, out, complaints io.Writer) error {
	lines := bufio.NewWriter(out)
	seen := newSeen(100_000)
	for {
		fetched := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		for _, failed := range fetched.Errors() {
			return fmt.Errorf("%s, partition %d: %w", failed.Topic, failed.Partition, failed.Err)
		}
		var failed error
		fetched.EachRecord(func(record *kgo.Record) {
			line, err := parse(record)
			switch {
			case err != nil:
				fmt.Fprintf(complaints, "left out: %s, partition %d, offset %d: %v\n",
					record.Topic, record.Partition, record.Offset, err)
			case seen.isNew(line.EventID):
				failed = errors.Join(failed, line.write(lines))
			}
		})
		if err := errors.Join(failed, lines.Flush()); err != nil {
			return err
		}
		// What is printed is committed also while we are being ended.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), answered)
		err := client.CommitUncommittedOffsets(last)
		cancel()
		if err != nil {
			return err
		}
		client.AllowRebalance()
	}
}

package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// options is the command line.
type options struct {
	bootstrap, group                  string
	fromBeginning, tls                bool
	caFile, certFile, keyFile         string
	mechanism, username, passwordFile string
}

func parseOptions(words []string, complaints io.Writer) (options, error) {
	var asked options
	flags := flag.NewFlagSet("consume-alerts", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&asked.bootstrap, "bootstrap", "localhost:9092", "brokers, `HOST:PORT[,...]`")
	flags.StringVar(&asked.group, "group", "", "a consumer group of your own (required)")
	flags.BoolVar(&asked.fromBeginning, "from-beginning", false, "a new group begins with what is kept")
	flags.BoolVar(&asked.tls, "tls", false, "encrypt; the broker must prove itself")
	flags.StringVar(&asked.caFile, "ca-file", "", "`PEM` of the authorities, in place of the system's")
	flags.StringVar(&asked.certFile, "cert-file", "", "`PEM`: a certificate of your own")
	flags.StringVar(&asked.keyFile, "key-file", "", "`PEM`: its key")
	flags.StringVar(&asked.mechanism, "sasl", "", "plain (as it is: with -tls, or on one machine), scram-sha-256 or scram-sha-512")
	flags.StringVar(&asked.username, "username", "", "who you are")
	flags.StringVar(&asked.passwordFile, "password-file", "", "the first line of this `FILE` is the password")
	if err := flags.Parse(words); err != nil {
		return asked, err
	}
	secret := asked.username != "" || asked.passwordFile != ""
	switch {
	case flags.NArg() > 0:
		return asked, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case asked.group == "":
		return asked, errors.New("-group is required: a consumer group of your own")
	case asked.mechanism == "" && secret:
		return asked, errors.New("-username and -password-file need -sasl")
	case asked.mechanism != "" && (asked.username == "" || asked.passwordFile == ""):
		return asked, errors.New("-sasl needs -username and -password-file")
	case !asked.tls && (asked.caFile != "" || asked.certFile != ""):
		return asked, errors.New("-ca-file and -cert-file need -tls")
	case (asked.certFile == "") != (asked.keyFile == ""):
		return asked, errors.New("-cert-file and -key-file need each other")
	}
	return asked, nil
}

// client is what franz-go wants to know.
func (asked options) client() ([]kgo.Opt, error) {
	begin := kgo.NewOffset().AtEnd()
	if asked.fromBeginning {
		begin = kgo.NewOffset().AtStart()
	}
	settings := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(asked.bootstrap, ",")...),
		kgo.ClientID("consume-alerts"),
		kgo.ConsumerGroup(asked.group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(begin),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(), // nobody else gets a partition before its lines are committed
	}
	if asked.tls {
		trust, err := asked.trust()
		if err != nil {
			return nil, err
		}
		settings = append(settings, kgo.DialTLSConfig(trust))
	}
	if asked.mechanism != "" {
		mechanism, err := asked.authentication()
		if err != nil {
			return nil, err
		}
		settings = append(settings, kgo.SASL(mechanism))
	}
	return settings, nil
}

// trust says which authorities are believed, and by which certificate we are known.
func (asked options) trust() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if asked.caFile != "" {
		pem, err := os.ReadFile(asked.caFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", asked.caFile)
		}
	}
	if asked.certFile != "" {
		ours, err := tls.LoadX509KeyPair(asked.certFile, asked.keyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{ours}
	}
	return config, nil
}

func (asked options) authentication() (sasl.Mechanism, error) {
	content, err := os.ReadFile(asked.passwordFile)
	if err != nil {
		return nil, err
	}
	password, _, _ := strings.Cut(string(content), "\n")
	password = strings.TrimSuffix(password, "\r")
	if password == "" {
		return nil, fmt.Errorf("%s holds no password in its first line", asked.passwordFile)
	}
	switch asked.mechanism {
	case "plain":
		return plain.Auth{User: asked.username, Pass: password}.AsMechanism(), nil
	case "scram-sha-256":
		return scram.Auth{User: asked.username, Pass: password}.AsSha256Mechanism(), nil
	case "scram-sha-512":
		return scram.Auth{User: asked.username, Pass: password}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("-sasl %s: it is plain, scram-sha-256 or scram-sha-512", asked.mechanism)
}

package main

// seen is the last ids that passed. The topic is at least once: a record can come again.
//
// They are forgotten when the program ends. Where each event must have its effect only once for
// ever, keep the id where you keep the effect, in one transaction.
type seen struct {
	ids   map[string]struct{}
	order []string
	next  int
}

func newSeen(most int) *seen {
	return &seen{ids: make(map[string]struct{}, most), order: make([]string, most)}
}

// isNew says whether an id passes for the first time; the oldest is forgotten for it.
func (s *seen) isNew(id string) bool {
	if _, known := s.ids[id]; known {
		return false
	}
	delete(s.ids, s.order[s.next])
	s.ids[id], s.order[s.next] = struct{}{}, id
	s.next = (s.next + 1) % len(s.order)
	return true
}

// bench NAME [--threads N] [--n N]: the workloads of greenroom_bench in Go: goroutines, channels, context.
// Prints one JSON line. tools/bench/compare builds and runs it where Go is installed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type reading struct {
	at       time.Time
	cpu      float64
	switches int64
}

func look() reading {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return reading{time.Now(), seconds(used.Utime) + seconds(used.Stime), used.Nvcsw + used.Nivcsw}
}

func residentBytes() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	var all, resident int
	if _, err := fmt.Sscan(string(text), &all, &resident); err != nil {
		panic(err)
	}
	return float64(resident * os.Getpagesize())
}

// meter measures from start to stop: set-up and clean-up stay outside.
type meter struct{ begin, end reading }

func (m *meter) start() { m.begin = look() }
func (m *meter) stop()  { m.end = look() }

type outcome struct {
	check     int
	bytesEach float64
}

func spawnAndEnd(n int, m *meter) outcome {
	var left sync.WaitGroup
	var count atomic.Int64
	m.start()
	left.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			count.Add(1)
			left.Done()
		}()
	}
	left.Wait()
	m.stop()
	return outcome{check: int(count.Load())}
}

func idleMemory(n int, m *meter) outcome {
	channels := make([]chan int, n)
	for i := range channels {
		channels[i] = nil // touches the memory before the first look
	}
	var waiting, ended sync.WaitGroup
	waiting.Add(n)
	ended.Add(n)
	runtime.GC()
	before := residentBytes()
	m.start()
	for i := range channels {
		in := make(chan int, 16)
		channels[i] = in
		go func() {
			waiting.Done()
			for range in {
			}
			ended.Done()
		}()
	}
	waiting.Wait()
	m.stop()
	grown := residentBytes() - before
	for _, in := range channels {
		close(in)
	}
	ended.Wait()
	return outcome{n, grown / float64(n)}
}

func skynetNode(out chan<- int, first, leaves int) {
	if leaves == 1 {
		out <- first
		return
	}
	in := make(chan int, 10)
	part := leaves / 10
	for child := 0; child < 10; child++ {
		go skynetNode(in, first+child*part, part)
	}
	sum := 0
	for child := 0; child < 10; child++ {
		sum += <-in
	}
	out <- sum
}

func skynet(n int, m *meter) outcome {
	in := make(chan int, 1)
	m.start()
	go skynetNode(in, 0, n)
	sum := <-in
	m.stop()
	return outcome{check: sum}
}

func pingpongWith(capacity, n int, m *meter) outcome {
	toOther, toMe := make(chan int, capacity), make(chan int, capacity)
	go func() {
		for turn := range toOther {
			toMe <- turn + 1
		}
	}()
	m.start()
	turn := 0
	for i := 0; i < n/2; i++ {
		toOther <- turn + 1
		turn = <-toMe
	}
	m.stop()
	close(toOther)
	return outcome{check: turn}
}

func pingpong(n int, m *meter) outcome       { return pingpongWith(0, n, m) }
func pingpongQueued(n int, m *meter) outcome { return pingpongWith(1, n, m) }

func ring(n int, m *meter) outcome {
	const tasks = 10_000
	done := make(chan int, 1)
	first := make(chan int)
	var waiting sync.WaitGroup
	waiting.Add(tasks)
	pass := func(in <-chan int, out chan<- int) {
		waiting.Done()
		for hop := range in {
			if hop == n {
				done <- hop
				return
			}
			out <- hop + 1
		}
	}
	in := first
	for i := 1; i < tasks; i++ {
		out := make(chan int)
		go pass(in, out)
		in = out
	}
	go pass(in, first)
	waiting.Wait()
	m.start()
	first <- 0
	hops := <-done
	m.stop()
	return outcome{check: hops}
}

func sendNumbers(out chan<- int, count int) {
	for i := 0; i < count; i++ {
		out <- i
	}
}

// sendFrom runs the senders at once and closes the channel when all have ended.
func sendFrom(senders int, out chan int, send func()) {
	var left sync.WaitGroup
	left.Add(senders)
	for i := 0; i < senders; i++ {
		go func() {
			send()
			left.Done()
		}()
	}
	go func() {
		left.Wait()
		close(out)
	}()
}

func sumOf(in <-chan int) int {
	sum := 0
	for value := range in {
		sum += value
	}
	return sum
}

func fanin(n int, m *meter) outcome {
	const senders = 8
	c := make(chan int, 1024)
	m.start()
	sendFrom(senders, c, func() { sendNumbers(c, n/senders) })
	sum := sumOf(c)
	m.stop()
	return outcome{check: sum}
}

// The same in every language.
func smallWork(job int) int { return ((job * 2_654_435_761) >> 16) & 0xff }

func pool(n int, m *meter) outcome {
	const workers = 8
	jobs, results := make(chan int, 1024), make(chan int, 1024)
	m.start()
	sendFrom(workers, results, func() {
		for job := range jobs {
			results <- smallWork(job)
		}
	})
	go func() {
		sendNumbers(jobs, n)
		close(jobs)
	}()
	sum := sumOf(results)
	m.stop()
	return outcome{check: sum}
}

func poolAtomic(n int, m *meter) outcome {
	const workers = 8
	jobs := make(chan int, 1024)
	var left sync.WaitGroup
	var sum atomic.Int64
	m.start()
	left.Add(workers)
	for i := 0; i < workers; i++ {
		go func() {
			for job := range jobs {
				sum.Add(int64(smallWork(job)))
			}
			left.Done()
		}()
	}
	sendNumbers(jobs, n)
	close(jobs)
	left.Wait()
	m.stop()
	return outcome{check: int(sum.Load())}
}

func counter(n int, m *meter) outcome {
	const clients = 1_000
	c := make(chan int, 1024)
	m.start()
	sendFrom(clients, c, func() {
		for i := 0; i < n/clients; i++ {
			c <- 1
		}
	})
	sum := sumOf(c)
	m.stop()
	return outcome{check: sum}
}

func selectOfFour(n int, m *meter) outcome {
	var in [4]chan int
	for i := range in {
		in[i] = make(chan int, 128)
	}
	m.start()
	for _, c := range in {
		go sendNumbers(c, n/4)
	}
	sum := 0
	for i := 0; i < n; i++ {
		select {
		case value := <-in[0]:
			sum += value
		case value := <-in[1]:
			sum += value
		case value := <-in[2]:
			sum += value
		case value := <-in[3]:
			sum += value
		}
	}
	m.stop()
	return outcome{check: sum}
}

func timers(n int, m *meter) outcome {
	pending := make([]context.CancelFunc, n)
	for i := range pending {
		pending[i] = nil // touches the memory before the first look
	}
	runtime.GC()
	before := residentBytes()
	m.start()
	for i := range pending {
		_, pending[i] = context.WithTimeout(context.Background(), time.Hour)
	}
	grown := residentBytes() - before
	cancelled := 0
	for _, cancel := range pending {
		cancel()
		cancelled++
	}
	m.stop()
	return outcome{cancelled, grown / float64(n)}
}

type request struct {
	question int
	answer   chan int
}

// call asks and waits for the answer, for at most a second.
func call(server chan<- request, question int) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r := request{question, make(chan int, 1)}
	select {
	case server <- r:
	case <-ctx.Done():
		panic(ctx.Err())
	}
	select {
	case answer := <-r.answer:
		return answer
	case <-ctx.Done():
		panic(ctx.Err())
	}
}

func rpcWith(clients, n int, m *meter) outcome {
	server := make(chan request, 64)
	go func() {
		for r := range server {
			r.answer <- r.question + 1
		}
	}()
	sums := make(chan int, clients)
	m.start()
	sendFrom(clients, sums, func() {
		sum := 0
		for question := 1; question <= n/clients; question++ {
			sum += call(server, question)
		}
		sums <- sum
	})
	sum := sumOf(sums)
	m.stop()
	close(server)
	return outcome{check: sum}
}

func rpc(n int, m *meter) outcome   { return rpcWith(1, n, m) }
func rpc64(n int, m *meter) outcome { return rpcWith(64, n, m) }

// n is rounded down to a multiple of unit; 0: to a power of ten.
type workload struct {
	n, unit int
	run     func(n int, m *meter) outcome
}

var workloads = map[string]workload{
	"spawn":         {1_000_000, 1, spawnAndEnd},
	"idle_mem":      {1_000_000, 1, idleMemory},
	"pingpong":      {2_000_000, 2, pingpong},
	"pingpong_cap1": {2_000_000, 2, pingpongQueued},
	"ring":          {5_000_000, 1, ring},
	"fanin":         {5_000_000, 8, fanin},
	"pool":          {2_000_000, 1, pool},
	"pool_atomic":   {2_000_000, 1, poolAtomic},
	"counter":       {1_000_000, 1_000, counter},
	"select":        {2_000_000, 4, selectOfFour},
	"timers":        {1_000_000, 1, timers},
	"skynet":        {1_000_000, 0, skynet},
	"rpc":           {500_000, 1, rpc},
	"rpc64":         {500_000, 64, rpc64},
}

func rounded(n, unit int) int {
	if unit != 0 {
		if n < unit {
			return unit
		}
		return n / unit * unit
	}
	power := 10
	for power <= n/10 {
		power *= 10
	}
	return power
}

func main() {
	threads := flag.Int("threads", runtime.NumCPU(), "processors to keep busy")
	items := flag.Int("n", 0, "number of items; 0: the default of the bench")
	if len(os.Args) < 2 || strings.HasPrefix(os.Args[1], "-") {
		fmt.Fprintln(os.Stderr, "usage: go_bench NAME [--threads N] [--n N]")
		os.Exit(2)
	}
	name := os.Args[1]
	w, known := workloads[name]
	if !known || flag.CommandLine.Parse(os.Args[2:]) != nil {
		fmt.Fprintln(os.Stderr, "go_bench: there is no bench", name)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(*threads)
	n := *items
	if n == 0 {
		n = w.n
	}
	n = rounded(n, w.unit)
	var m meter
	found := w.run(n, &m)
	fmt.Printf(`{"bench":%q,"lang":"go","threads":%d,"n":%d,"seconds":%.9f,"cpu_seconds":%.6f,`+
		`"bytes_each":%.1f,"check":%d,"context_switches":%d}`+"\n",
		name, *threads, n, m.end.at.Sub(m.begin.at).Seconds(), m.end.cpu-m.begin.cpu,
		found.bytesEach, found.check, m.end.switches-m.begin.switches)
}

// go_nodes serve | roundtrip PORT N | calls PORT N | items PORT N: what node_bench does, by Go's net/rpc (gob over TCP).
// It has no one-way message: an item is a call of which up to 256 are under way, as many as a node's window.
package main

import (
	"fmt"
	"log"
	"net"
	"net/rpc"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type Bench struct{ sum int64 }

func (b *Bench) AddOne(n int64, reply *int64) error {
	*reply = n + 1
	return nil
}
func (b *Bench) Item(n int64, _ *struct{}) error {
	atomic.AddInt64(&b.sum, n)
	return nil
}
func (b *Bench) Sum(_ struct{}, reply *int64) error {
	*reply = atomic.SwapInt64(&b.sum, 0)
	return nil
}

func serve() {
	must(rpc.Register(&Bench{}))
	at, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(at.Addr().(*net.TCPAddr).Port)
	rpc.Accept(at)
}

func callOneByOne(to *rpc.Client, n int64) int64 {
	var sum, reply int64
	for i := int64(0); i < n; i++ {
		must(to.Call("Bench.AddOne", i, &reply))
		sum += reply
	}
	return sum
}

func callAtOnce(to *rpc.Client, n int64) int64 {
	var sum int64
	var all sync.WaitGroup
	for i := 0; i < 64; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			atomic.AddInt64(&sum, callOneByOne(to, n/64))
		}()
	}
	all.Wait()
	return sum
}

func sendItems(to *rpc.Client, n int64) int64 {
	done := make(chan *rpc.Call, 256)
	underWay := 0
	for i := int64(0); i < n; i++ {
		if underWay == cap(done) {
			must((<-done).Error)
			underWay--
		}
		to.Go("Bench.Item", i, &struct{}{}, done)
		underWay++
	}
	for ; underWay > 0; underWay-- {
		must((<-done).Error)
	}
	var sum int64
	must(to.Call("Bench.Sum", struct{}{}, &sum))
	return sum
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(used.Utime) + seconds(used.Stime)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		serve()
		return
	}
	if len(os.Args) != 4 {
		log.Fatal("usage: go_nodes serve | roundtrip PORT N | calls PORT N | items PORT N")
	}
	n, err := strconv.ParseInt(os.Args[3], 10, 64)
	must(err)
	to, err := rpc.Dial("tcp", "127.0.0.1:"+os.Args[2])
	must(err)
	began, cpu := time.Now(), cpuSeconds()
	found := map[string]func(*rpc.Client, int64) int64{"roundtrip": callOneByOne, "calls": callAtOnce, "items": sendItems}[os.Args[1]](to, n)
	seconds := time.Since(began).Seconds()
	fmt.Printf("{\"bench\":%q,\"lang\":\"go\",\"threads\":1,\"n\":%d,\"seconds\":%.9f,\"cpu_seconds\":%.6f,\"bytes_each\":0,\"check\":%d}\n",
		os.Args[1], n, seconds, cpuSeconds()-cpu, found)
}

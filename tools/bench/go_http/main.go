// The example server's work in Go's net/http: go_http PORT. Threads by GOMAXPROCS. Works with Go 1.19 and later.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

func hello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "Hello, World!")
}

// task does what the example server's /task does; unlike the article's it leaves no goroutine behind.
func task(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil {
		ms = 3000
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	done := make(chan struct{}, 1)
	go func() {
		timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
			done <- struct{}{}
		case <-ctx.Done():
		}
	}()
	select {
	case <-done:
		io.WriteString(w, "Success: task completed\n")
	case <-ctx.Done():
		http.Error(w, "Request canceled: "+ctx.Err().Error(), http.StatusRequestTimeout)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Write(body)
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", hello)
	mux.HandleFunc("/task", task)
	mux.HandleFunc("/echo", echo)
	entrance, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on http://%s\n", entrance.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(entrance, mux))
}

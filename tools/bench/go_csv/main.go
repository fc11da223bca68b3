// The work of examples/16_csv_statistics in Go: go_csv FILE. Threads by GOMAXPROCS: as many goroutines map chunks of 1 MiB, cut behind line feeds, one merges.
// Prints a line "shop,count,sum,least,greatest" for each shop. Works with Go 1.19 and later.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"sync"
)

type amounts struct{ count, sum, least, greatest int64 }

var errMalformed = errors.New("a malformed line")

// amount reads a fixed-point number with two decimals.
func amount(text []byte) (int64, error) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	value, digits, behind := int64(0), 0, -1
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			value = 10*value + int64(c-'0')
			digits++
			if behind >= 0 {
				behind++
			}
		case c == '.' && behind < 0 && digits > 0:
			behind = 0
		default:
			return 0, errMalformed
		}
	}
	if digits == 0 || digits > 15 || behind == 0 || behind > 2 {
		return 0, errMalformed
	}
	for ; behind < 2; behind++ {
		if behind < 0 {
			behind = 0
		}
		value *= 10
	}
	if negative {
		value = -value
	}
	return value, nil
}

// count adds the lines `day,shop,amount` to the statistics. The look-up by string(shop) copies nothing.
func count(lines []byte, to map[string]*amounts) error {
	for len(lines) > 0 {
		var line []byte
		if end := bytes.IndexByte(lines, '\n'); end < 0 {
			line, lines = lines, nil
		} else {
			line, lines = lines[:end], lines[end+1:]
		}
		first := bytes.IndexByte(line, ',')
		if first < 0 {
			return errMalformed
		}
		rest := line[first+1:]
		second := bytes.IndexByte(rest, ',')
		if second <= 0 {
			return errMalformed
		}
		value, err := amount(bytes.TrimSuffix(rest[second+1:], []byte{'\r'}))
		if err != nil {
			return err
		}
		of := to[string(rest[:second])]
		if of == nil {
			of = &amounts{least: value, greatest: value}
			to[string(rest[:second])] = of
		}
		of.count++
		of.sum += value
		if value < of.least {
			of.least = value
		}
		if value > of.greatest {
			of.greatest = value
		}
	}
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "go_csv:", err)
	os.Exit(1)
}

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		fail(err)
	}
	in := bufio.NewReaderSize(file, 1<<16)
	if _, err := in.ReadSlice('\n'); err != nil { // the header
		fail(err)
	}
	workers := runtime.GOMAXPROCS(0)
	chunks := make(chan []byte, workers)
	spare := make(chan []byte, 2*workers+1)
	for i := 0; i < cap(spare); i++ {
		spare <- make([]byte, 0, 1<<20+1<<16)
	}
	parts := make([]map[string]*amounts, workers)
	var mapped sync.WaitGroup
	for i := range parts {
		parts[i] = map[string]*amounts{}
		mapped.Add(1)
		go func(to map[string]*amounts) {
			defer mapped.Done()
			for chunk := range chunks {
				if err := count(chunk, to); err != nil {
					fail(err)
				}
				spare <- chunk[:0]
			}
		}(parts[i])
	}
	for {
		chunk := (<-spare)[:1<<20]
		n, err := io.ReadFull(in, chunk)
		chunk = chunk[:n]
		if err == nil {
			rest, lineErr := in.ReadSlice('\n')
			if lineErr != nil && lineErr != io.EOF {
				fail(lineErr)
			}
			chunk = append(chunk, rest...)
		} else if err != io.EOF && err != io.ErrUnexpectedEOF {
			fail(err)
		}
		if n > 0 {
			chunks <- chunk
		}
		if err != nil {
			break
		}
	}
	close(chunks)
	mapped.Wait()
	all := parts[0]
	for _, part := range parts[1:] {
		for shop, of := range part {
			if to := all[shop]; to == nil {
				all[shop] = of
			} else {
				to.count += of.count
				to.sum += of.sum
				if of.least < to.least {
					to.least = of.least
				}
				if of.greatest > to.greatest {
					to.greatest = of.greatest
				}
			}
		}
	}
	names := make([]string, 0, len(all))
	for shop := range all {
		names = append(names, shop)
	}
	sort.Strings(names)
	for _, shop := range names {
		of := all[shop]
		fmt.Printf("%s,%d,%d,%d,%d\n", shop, of.count, of.sum, of.least, of.greatest)
	}
}

// go_ledger CLIENTS SECONDS BATCH FILE: what ledger_bench does, in Go: goroutines that pay each other through one goroutine that owns the balances and writes a
// journal in SQLite with the same settings and tables.
package main

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

const accounts = 1000

type transfer struct {
	key, from, to string
	amount        int64
	done          chan error
}

type books struct {
	db                      *sql.DB
	balances                map[string]int64
	last                    int64
	flushes                 int64
	findKey, putRow, putTag *sql.Stmt
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "go_ledger:", err)
		os.Exit(1)
	}
	return v
}

func openBooks(file string) *books {
	db := must(sql.Open("sqlite3", "file:"+file+"?_journal_mode=WAL&_synchronous=FULL&_locking_mode=EXCLUSIVE&_txlock=immediate"))
	db.SetMaxOpenConns(1)
	for _, text := range []string{
		"CREATE TABLE records(number INTEGER PRIMARY KEY, written_at INTEGER NOT NULL, key TEXT UNIQUE, tags TEXT NOT NULL, content TEXT NOT NULL)",
		"CREATE TABLE tags(tag TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY(tag, number)) WITHOUT ROWID",
	} {
		must(db.Exec(text))
	}
	b := &books{db: db, balances: map[string]int64{}}
	b.findKey = must(db.Prepare("SELECT number FROM records WHERE key = ?"))
	b.putRow = must(db.Prepare("INSERT INTO records VALUES(?, ?, ?, ?, ?)"))
	b.putTag = must(db.Prepare("INSERT INTO tags VALUES(?, ?)"))
	for i := 0; i < accounts; i++ {
		b.balances["account "+strconv.Itoa(i)] = 0
	}
	return b
}

// carryOut does all orders of a batch in one transaction, and answers them when it is on disk.
func (b *books) carryOut(batch []transfer) {
	tx := must(b.db.Begin())
	find, row, tag := tx.Stmt(b.findKey), tx.Stmt(b.putRow), tx.Stmt(b.putTag)
	answers := make([]error, len(batch))
	for i, t := range batch {
		var number int64
		if find.QueryRow(t.key).Scan(&number) == nil {
			answers[i] = fmt.Errorf("the key %s is there already", t.key)
			continue
		}
		b.last++
		from, to := b.balances[t.from]-t.amount, b.balances[t.to]+t.amount
		content := fmt.Sprintf("transfer\t%s\t%s\t%d\t%d\t0\t%d\t%d\tEUR\t0\t", t.from, t.to, t.amount, t.amount, from, to)
		must(row.Exec(b.last, time.Now().UnixMilli(), t.key, t.from+"\n"+t.to, content))
		must(tag.Exec(t.from, b.last))
		must(tag.Exec(t.to, b.last))
		b.balances[t.from], b.balances[t.to] = from, to
	}
	if err := tx.Commit(); err != nil {
		must(0, err)
	}
	b.flushes++
	for i, t := range batch {
		t.done <- answers[i]
	}
}

func (b *books) serve(orders chan transfer, most int) {
	for first := range orders {
		batch := []transfer{first}
	more:
		for len(batch) < most {
			select {
			case next, open := <-orders:
				if !open {
					break more
				}
				batch = append(batch, next)
			default:
				break more
			}
		}
		b.carryOut(batch)
	}
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: go_ledger CLIENTS SECONDS BATCH FILE")
		os.Exit(2)
	}
	clients := must(strconv.Atoi(os.Args[1]))
	seconds := must(strconv.Atoi(os.Args[2]))
	most := must(strconv.Atoi(os.Args[3]))
	b := openBooks(os.Args[4])
	orders := make(chan transfer, 1024)
	var served sync.WaitGroup
	served.Add(1)
	go func() {
		b.serve(orders, most)
		served.Done()
	}()
	began := time.Now()
	end := began.Add(time.Duration(seconds) * time.Second)
	counts := make([]int, clients)
	var all sync.WaitGroup
	for c := 0; c < clients; c++ {
		all.Add(1)
		go func(c int) {
			defer all.Done()
			random := uint64(0x9e3779b97f4a7c15) * uint64(c+1)
			done := make(chan error, 1)
			for n := 0; time.Now().Before(end); n++ {
				random = random*6364136223846793005 + 1442695040888963407
				from := random >> 33 % accounts
				to := (from + 1 + random>>20%(accounts-1)) % accounts
				orders <- transfer{fmt.Sprintf("%d/%d", c, n), "account " + strconv.FormatUint(from, 10), "account " + strconv.FormatUint(to, 10), 1, done}
				if <-done == nil {
					counts[c]++
				}
			}
		}(c)
	}
	all.Wait()
	took := time.Since(began).Seconds()
	close(orders)
	served.Wait()
	transfers := 0
	for _, n := range counts {
		transfers += n
	}
	fmt.Printf("{\"lang\":\"go\",\"clients\":%d,\"batch\":%d,\"transfers\":%d,\"seconds\":%.3f,\"flushes\":%d}\n", clients, most, transfers, took, b.flushes)
}

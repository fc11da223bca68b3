"""What a job over chunks promises about kill -9; judged by tools/acceptance/run. The example 16_csv_statistics is killed at random moments and started again on
the same checkpoint, until it ends by itself; its result must be that of an undisturbed run."""

import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

BYTES = 10**9
KILLS = 100


class CsvCrashes:
    """A part of Acceptance, which has `build` and say()."""

    def csv(self):
        program = self.build / "examples" / "16_csv_statistics"
        with tempfile.TemporaryDirectory() as folder:
            file, job = Path(folder, "sales.csv"), Path(folder, "job")
            subprocess.run([program, "--make", str(BYTES), file], check=True)
            started = time.monotonic()
            undisturbed = subprocess.run([program, file, "2"], capture_output=True, check=True).stdout
            whole = time.monotonic() - started
            kills = resumed = runs = wrong = 0
            memory = 0
            while kills < KILLS:
                runs += 1
                job.unlink(missing_ok=True)
                for patience in range(1, 1000):  # longer each time, or it might never come to its first checkpoint
                    resumed += job.exists()
                    process = subprocess.Popen([program, file, "2", job, "20"], stdout=subprocess.PIPE)
                    try:
                        printed, _ = process.communicate(timeout=random.uniform(0, whole * (0.1 + 0.02 * patience)))
                        wrong += printed != undisturbed or process.returncode != 0 or job.exists()
                        break
                    except subprocess.TimeoutExpired:
                        memory = max(memory, self.peak_memory(process.pid))
                        process.kill()
                        process.communicate()
                        kills += 1
            self.say(wrong == 0 and resumed > 0, f"kill -9 at {kills} random moments: the job goes on from its checkpoint, and its result is the same",
                     f"{runs} jobs over {BYTES:,} bytes, resumed {resumed} times, {wrong} wrong")
            self.say(memory <= 64 << 20, "in at most 64 MiB", f"{memory / 2**20:.1f} MiB")
            self.refused(program, file, job, whole)

    def csv_speed(self):
        lines = self.build / "csv.jsonl"
        done = subprocess.run([Path(__file__).parents[1] / "bench" / "compare_csv", "--json", lines, "--build", self.build],
                              capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            self.say(False, "the job over a CSV file beside plain loops and Go", "not measured: " + done.stderr.strip())
            return
        runs = [json.loads(line) for line in lines.read_text().splitlines()]
        own = [run for run in runs if run["lang"] == "greenroom, 2 threads"]
        for peer, goal in (("two plain processes", 0.9), ("go, 2 threads", 1)):
            ratios = [run["seconds"] / mine["seconds"] for run, mine in zip((r for r in runs if r["lang"] == peer), own)]
            ratio = statistics.median(ratios) if ratios else 0
            self.say(ratio >= goal, f"a CSV job of {own[0]['n']:,} bytes: >= {goal} of the throughput of {peer}", f"{ratio:.2f}")
        peak = max(run["peak_bytes"] for run in own)
        self.say(peak <= 64 << 20, "in at most 64 MiB", f"{peak / 2**20:.1f} MiB")

    def refused(self, program, file, job, whole):
        """A changed input is refused with a sentence, and the checkpoint stays."""
        while not job.exists():
            process = subprocess.Popen([program, file, "2", job, "0"], stdout=subprocess.DEVNULL)
            time.sleep(whole / 2)
            process.kill()
            process.wait()
        kept = job.read_bytes()
        os.utime(file)
        done = subprocess.run([program, file, "2", job], capture_output=True, text=True, check=False)
        self.say(done.returncode == 1 and "it is of another input" in done.stderr and job.read_bytes() == kept,
                 "an input that has changed since is refused", done.stderr.strip()[:60] + "...")

    @staticmethod
    def peak_memory(pid):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)

"""Measures rounds of the same work in Sluice and its peers, and writes a table: see run."""

import signal
import sys
import time

import environments
import plan
import process
import rounds
import table
from options import arguments


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Progress:
    def __init__(self, tasks: int):
        self.start = time.perf_counter()
        self.left = tasks
        self.done = 0

    def tell(self, number: int, task: plan.Task, record: dict) -> None:
        self.done += 1
        self.left -= 1
        minutes = (time.perf_counter() - self.start) / self.done * self.left / 60
        metric = task.work.metrics[0]
        figure = record.get("error") or f"{table.number(record[metric.field])} {metric.unit}"
        tell(f"round {number}: {task.work.short()}, {task.setting.peer} {task.setting.name}: "
             f"{figure} (about {minutes:.0f} min left)")


def run_round(number: int, tasks: list[plan.Task], store: rounds.Rounds, options,
              progress: Progress) -> None:
    """Keeps existing records of the lab. A round of steps is always measured whole, because its
ratios must come from the same hour."""
    records = store.read(number)
    for task in tasks:
        record = {"round": number, **task.key()}
        if any(record.items() <= there.items() for there in records):
            continue
        if task.obstacle:
            records.append({**record, "error": task.obstacle})
            continue
        log = options.out / "logs" / ("-".join(map(str, record.values())) + ".log")
        record |= process.measured(task.command, options.threads, task.keep_memory, log,
                                   task.limit)
        records.append(record)
        progress.tell(number, task, record)
        if options.lab:
            store.write(number, records)
    store.write(number, records)
    write_table(options)


def write_table(options) -> str:
    text = table.markdown(rounds.all_records(options.out),
                          f"{environments.processor()}, {options.threads} threads.")
    (options.out / "table.md").write_text(text)
    return text


def main() -> None:
    options = arguments()
    fixed = {name: getattr(options, name) for name in ("works", "peers", "without", "compute", "threads")}
    fixed |= ({"data": str(options.data), "epochs": options.epochs} if options.lab
              else {"seconds": options.seconds})
    store = rounds.Rounds(options.out, "lab" if options.lab else "steps", fixed)
    tasks = plan.plan(options)
    keys = [task.key() for task in tasks]
    numbers = [n for n in range(1, options.rounds + 1) if not store.has_all(n, keys)]
    if not numbers:
        tell(f"{options.out} has {options.rounds} rounds: name more, or another --out")
    progress = Progress(len(numbers) * sum(not task.obstacle for task in tasks))
    for number in numbers:
        run_round(number, tasks, store, options, progress)
    print(write_table(options))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except KeyboardInterrupt:
        tell("stopped; the same --out continues")
        sys.exit(130)
    except rounds.Conflict as conflict:
        tell(f"bench/peers/run: {conflict}")
        sys.exit(2)
    except OSError as error:
        tell(f"bench/peers/run: {error}")
        sys.exit(1)

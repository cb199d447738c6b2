"""DuckDB's full outer join of both sides, beside which the verifier's comparison is timed.

join.py SOURCE.csv TARGET.csv: writes Parquet files beside them, then joins once for each line on
its standard input, and answers each with `SECONDS CALLS DIFFERENT`.
"""

import pathlib
import sys
import time

import duckdb

SAME = ["start", "end", "direction", "caller", "dialled", "wait", "talk", "skill_group", "ivr", "disposition", "file", "recording_start", "recording_end"]
# Of what a mapping translates only that it is there is compared.
MAPPED = ["agent", "queue", "skill", "wrap_up", "recording"]


def main() -> None:
    source, target = (pathlib.Path(name) for name in sys.argv[1:3])
    database = duckdb.connect()
    for file in (source, target):
        database.execute(f"COPY (FROM read_csv('{file}', header = true, all_varchar = true)) TO '{file.with_suffix('.parquet')}' (FORMAT parquet)")
    differs = [f's."{name}" IS DISTINCT FROM t."{name}"' for name in SAME]
    differs += [f'(s."{name}" IS NULL) <> (t."{name}" IS NULL)' for name in MAPPED]
    query = f"""
        SELECT count(*), count(*) FILTER (WHERE s.id IS NULL OR t.id IS NULL OR {' OR '.join(differs)})
        FROM '{source.with_suffix('.parquet')}' s FULL OUTER JOIN '{target.with_suffix('.parquet')}' t ON s.id = t.id
    """
    print(duckdb.__version__, flush=True)
    for _ in sys.stdin:
        began = time.monotonic()
        calls, different = database.execute(query).fetchone()
        print(f"{time.monotonic() - began:.3f} {calls} {different}", flush=True)


main()

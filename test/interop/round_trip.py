"""Mines from Parquet files with gemmine, and reads every layout with the library that it is made for.

    python test/interop/round_trip.py [--tevatron SRC] [--nemo FILE]

Needs datasets, pandas, sentence-transformers and FlagEmbedding (`pip install --no-deps FlagEmbedding` is
enough). SRC is the folder src of Tevatron's repository; FILE is NeMo Automodel's
nemo_automodel/components/datasets/llm/retrieval_dataset_inline.py. `npm run build` comes first. No model is
downloaded. Prints one line for each check; the exit code is that of the first failure.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import load_dataset

root = Path(__file__).parents[2]
formats = ["triplet", "n-tuple", "labeled-pair", "labeled", "flag-embedding", "tevatron", "nemo"]
queries, corpus, dimensions, negatives = 40, 120, 16, 3


def gemmine(*arguments):
    command = ["node", str(root / "dist/cli/main.js"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def lists(matrix, type):
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel(), type), matrix.shape[1])


def write_inputs(folder):
    """Embeddings as lists of one size, and ids as hashes of 63 bits."""
    draw = np.random.default_rng(1)
    C = draw.standard_normal((corpus, dimensions)).astype("float16")
    Q = (C[:queries] + 0.3 * draw.standard_normal((queries, dimensions))).astype("float32")
    ids = [(i + 1) * 2654435761 * 4294967311 % 2**63 for i in range(corpus)]
    texts = [f"passage {i} é" for i in range(corpus)]
    table = {"_id": pa.array(ids), "text": texts, "emb": lists(C, pa.float16())}
    pq.write_table(pa.table(table), folder / "corpus.parquet", row_group_size=50)
    names = [f"q{i}" for i in range(queries)]
    table = {"_id": names, "text": [f"question {i}?" for i in range(queries)], "emb": lists(Q, pa.float32())}
    pq.write_table(pa.table(table), folder / "queries.parquet")
    table = {"query-id": names, "corpus-id": pa.array(ids[:queries]), "score": [1] * queries}
    pq.write_table(pa.table(table), folder / "qrels.parquet")
    return ids


def sides(folder, texts=True):
    q, c = folder / "queries.parquet", folder / "corpus.parquet"
    ids = ["--query-ids", q, "--corpus-ids", c, "--positives", folder / "qrels.parquet"]
    return ids + (["--query-texts", q, "--corpus-texts", c] if texts else [])


def mine(folder, out, *options, texts=True):
    matrices = ["--queries", f"{folder}/queries.parquet:emb", "--corpus", f"{folder}/corpus.parquet:emb"]
    gemmine("mine", *matrices, *sides(folder, texts), "--num-negatives", negatives, "--out", out, *options)
    return out


def read(path):
    kind = "parquet" if path.suffix == ".parquet" else "json"
    return load_dataset(kind, data_files=str(path), split="train", cache_dir=str(path.parent / "cache"))


def check_layouts(folder):
    """Lines and Parquet hold the same, and gemmine audits what datasets writes back."""
    files = {}
    for name in formats:
        both = []
        for kind, options in [("jsonl", []), ("parquet", ["--parquet"])]:
            out = mine(folder, folder / f"{name}-{kind}", "--format", name, *options)
            both.append(read(out / f"negatives.{kind}"))
            files[name, kind] = out / f"negatives.{kind}"
        assert both[0].to_list() == both[1].to_list(), name
        both[0].to_json(folder / "back.jsonl")
        both[1].to_parquet(folder / "back.parquet")
        for back in ["back.jsonl", "back.parquet"]:
            audit = json.loads(gemmine("audit", folder / back, *sides(folder), "--json"))
            assert audit["layout"] == name and audit["lines"] == len(both[0]), audit
        frame = pd.read_parquet(files[name, "parquet"])
        assert len(frame) == len(both[0])
        print(f"datasets, pandas: {name}, {len(frame)} rows of {', '.join(frame.columns)}")
    return files


def check_ids(folder, ids):
    out = mine(folder, folder / "ids", "--format", "nemo", "--parquet", texts=False)
    table = pq.read_table(out / "negatives.parquet")
    assert table.schema.field("pos_doc").type.value_type == pa.int64()
    assert [row[0] for row in table["pos_doc"].to_pylist()] == ids[:queries]
    gemmine("audit", out / "negatives.parquet", *sides(folder, texts=False), "--json")
    print("pyarrow: ids of 63 bits are 64-bit integers")


def check_matrices(folder):
    """A matrix that gemmine writes is a list of one size, with the same bits."""
    script = """
      const [, path, gemmine] = process.argv
      const { loadMatrix, writeParquetMatrix } = require(gemmine)
      loadMatrix(`${path}/corpus.parquet`).then((X) => writeParquetMatrix(`${path}/X.parquet`, X))
    """
    subprocess.run(["node", "-e", script, str(folder), str(root)], check=True)
    written = pq.read_table(folder / "X.parquet")["embedding"].combine_chunks()
    assert written.type == pa.list_(pa.field("element", pa.float16(), nullable=False), dimensions), written.type
    given = pq.read_table(folder / "corpus.parquet")["emb"].combine_chunks()
    assert written.flatten().to_numpy().tobytes() == given.flatten().to_numpy().tobytes()
    assert np.stack(pd.read_parquet(folder / "X.parquet")["embedding"]).shape == (corpus, dimensions)
    assert len(read(folder / "X.parquet")[0]["embedding"]) == dimensions
    print("pyarrow, pandas, datasets: a matrix of float16, lists of one size")


def tiny_model():
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "passage", "question", *map(str, range(200))]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)])


def check_sentence_transformers(files):
    """Losses of sentence-transformers train on the columns as they are."""
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments, losses

    needed = {
        "triplet": losses.MultipleNegativesRankingLoss,
        "n-tuple": losses.MultipleNegativesRankingLoss,
        "labeled-pair": losses.OnlineContrastiveLoss,
    }
    for name, loss in needed.items():
        for kind in ["jsonl", "parquet"]:
            model = tiny_model()
            arguments = SentenceTransformerTrainingArguments(
                output_dir=str(files[name, kind].parent / "trained"), max_steps=2, report_to=[], use_cpu=True
            )
            data = read(files[name, kind])
            trainer = SentenceTransformerTrainer(model, arguments, train_dataset=data, loss=loss(model))
            assert np.isfinite(trainer.train().training_loss)
        print(f"sentence-transformers: {name} trains {loss.__name__}")


def check_own_miner(folder):
    """gemmine audits what the miner of sentence-transformers writes, in each of its layouts."""
    from sentence_transformers.util import mine_hard_negatives

    rows = pd.read_parquet(folder / "queries.parquet")["text"], pd.read_parquet(folder / "corpus.parquet")["text"]
    pairs = pa.table({"query": rows[0], "answer": rows[1][:queries]})
    pq.write_table(pairs, folder / "pairs.parquet")
    data = read(folder / "pairs.parquet")
    for name in ["triplet", "n-tuple", "labeled-pair", "labeled-list"]:
        for scores in [False, True]:
            mined = mine_hard_negatives(
                data, tiny_model(), corpus=list(rows[1]), num_negatives=negatives, range_max=20,
                output_format=name, output_scores=scores, verbose=False,
            )
            mined.to_parquet(folder / "theirs.parquet")
            audit = subprocess.run(
                ["node", str(root / "dist/cli/main.js"), "audit", str(folder / "theirs.parquet")]
                + [str(each) for each in sides(folder)] + ["--json"],
                capture_output=True, text=True,
            )
            found = json.loads(audit.stdout)
            faults = {key: found[key] for key in list(found)[4:11] if found[key]}
            assert found["lines"] == len(mined) and found["unknownIds"] == 0, found
            told = f"{found['layout']}, {len(mined)} rows, {faults or 'clean'}"
            print(f"audit of sentence-transformers' {name}{' with scores' if scores else ''}: {told}")


def without_models(package, *below):
    """Makes the modules of a package importable without its __init__, which imports every model."""
    place = Path(importlib.util.find_spec(package).submodule_search_locations[0])
    for name in ["", *below]:
        module = ModuleType(f"{package}.{name}".rstrip("."))
        module.__path__ = [str(place / name.replace(".", "/"))]
        sys.modules[module.__name__] = module


def check_flag_embedding(files):
    without_models("FlagEmbedding", "abc", "abc.finetune", "abc.finetune.embedder")
    from FlagEmbedding.abc.finetune.embedder.AbsDataset import AbsEmbedderTrainDataset

    path = files["flag-embedding", "jsonl"]
    options = dict(
        train_data=[str(path)], cache_path=str(path.parent / "cache"), shuffle_ratio=0,
        max_example_num_per_dataset=1000, knowledge_distillation=True, train_group_size=negatives + 1,
        query_instruction_for_retrieval=None, passage_instruction_for_retrieval=None,
    )
    data = AbsEmbedderTrainDataset(SimpleNamespace(**options), None)
    query, passages, scores = data[3]
    assert query == "question 3?" and passages[0] == "passage 3 é" and len(scores) == negatives + 1
    print(f"FlagEmbedding: {len(data)} examples with teacher scores")


def check_tevatron(files, source):
    sys.path.insert(0, source)
    from tevatron.retriever.dataset import TrainDataset

    for kind, loader in [("jsonl", "json"), ("parquet", "parquet")]:
        path = files["tevatron", kind]
        options = dict(
            dataset_name=loader, dataset_config=None, dataset_path=str(path), dataset_split="train",
            dataset_cache_dir=str(path.parent / "cache"), num_proc=1, corpus_name=None, assets_path=None,
            query_prefix="", passage_prefix="", train_group_size=negatives + 1,
        )
        trainer = SimpleNamespace(state=SimpleNamespace(epoch=0), args=SimpleNamespace(seed=1))
        data = TrainDataset(SimpleNamespace(**options), trainer)
        (query, *_), documents = data[3]
        assert query == "question 3?" and documents[0][0] == "passage 3 é"
        assert len(documents) == negatives + 1
        print(f"Tevatron: {len(data)} examples from {kind}")


def check_nemo(files, source):
    spec = importlib.util.spec_from_file_location("inline", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = module.make_retrieval_dataset(str(files["nemo", "jsonl"]), n_passages=negatives + 1)
    example = data[3]
    assert example["question"] == "question 3?" and example["doc_text"][0] == "passage 3 é"
    assert len(example["doc_text"]) == negatives + 1
    print(f"NeMo Automodel: {len(data)} inline examples")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tevatron")
    parser.add_argument("--nemo")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = write_inputs(folder)
        check_matrices(folder)
        files = check_layouts(folder)
        check_ids(folder, ids)
        check_sentence_transformers(files)
        check_own_miner(folder)
        check_flag_embedding(files)
        if given.tevatron:
            check_tevatron(files, given.tevatron)
        if given.nemo:
            check_nemo(files, given.nemo)


main()

"""sentence-transformers' mine_hard_negatives over given embeddings: nothing is encoded in the time."""

import numpy as np

from protocol import Stopwatch, serve


class GivenEmbeddings:
    """What mine_hard_negatives asks of a model. Texts are row numbers: "q7" is row 7 of the queries."""

    device = "cpu"

    def __init__(self, util, queries, corpus):
        self.queries = queries
        self.corpus = corpus
        # The similarity that a SentenceTransformer has when nobody chose another.
        self.similarity = util.cos_sim
        self.similarity_pairwise = util.pairwise_cos_sim

    def encode_query(self, texts, **_):
        return self.queries[[int(text[1:]) for text in texts]]

    def encode_document(self, texts, **_):
        return self.corpus[[int(text[1:]) for text in texts]]

    def get_embedding_dimension(self):
        return self.corpus.shape[1]


class SentenceTransformersMine:
    name = "sentence-transformers mine_hard_negatives"

    def __init__(self):
        import sentence_transformers
        import torch
        from datasets import Dataset, disable_progress_bars

        disable_progress_bars()
        self.Dataset = Dataset
        self.util = sentence_transformers.util
        self.version = sentence_transformers.__version__
        self.blas = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"

    def load(self, queries, corpus, pairs, num_negatives, relative_margin):
        """`pairs` [p x 2]: query row, corpus row of a positive."""
        self.model = GivenEmbeddings(self.util, np.load(queries), np.load(corpus))
        rows = np.load(pairs).astype(int)
        self.pairs = self.Dataset.from_dict(
            {"anchor": [f"q{q}" for q, _ in rows], "positive": [f"d{d}" for _, d in rows]}
        )
        self.texts = [f"d{row}" for row in range(len(self.model.corpus))]
        self.options = {"num_negatives": num_negatives, "relative_margin": relative_margin}

    def run(self, use_faiss=False):
        with Stopwatch() as watch:
            mined = self.util.mine_hard_negatives(
                self.pairs,
                self.model,
                corpus=self.texts,
                output_format="n-tuple",
                use_faiss=use_faiss,
                verbose=False,
                **self.options,
            )
        return {"seconds": watch.seconds, "cpu": watch.cpu, "complete": len(mined)}


serve(SentenceTransformersMine)

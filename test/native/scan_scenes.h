#pragma once

#include "mining_scenes.h"
#include "naive_scans.h"

// Two sides to scan, and what is compared of an answer.
namespace test {

// Rows on both sides, in the memory of one implementation.
struct Sides {
  Sides(gemmine::Scans& scans, Metric metric, const Rows& queries, const Rows& corpus, bool keep,
        const Job& job)
      : query_source(source_of(queries)),
        corpus_source(&queries == &corpus ? nullptr : source_of(corpus)),
        corpus(scans.prepare_corpus(corpus_source ? *corpus_source : *query_source, metric, keep,
                                    job)),
        queries(scans.prepare_queries(*query_source, *this->corpus, job)) {}

  std::unique_ptr<gemmine::RowSource> query_source, corpus_source;
  std::unique_ptr<gemmine::CorpusHandle> corpus;
  std::unique_ptr<gemmine::QueryHandle> queries;
};

struct Scene {
  Metric metric;
  Rows queries;
  Rows corpus;
  bool self;  // both sides are the same memory
  std::string name;

  const Rows& right() const { return self ? queries : corpus; }
};

inline Scene random_scene(Index seed, Dice& dice, bool self) {
  const Index ds[] = {1, 2, 7, 8, 17, 24, 64, 100};
  const Index d = ds[dice.below(8)];
  const Index nc = 1 + dice.below(self ? 400 : dice.chance(4) ? 900 : 150);
  const Index kind = dice.below(kinds);
  Scene scene{.metric = metrics[dice.below(3)],
              .queries = random_rows(kind, self ? nc : 1 + dice.below(40), d, dice),
              .corpus = random_rows(dice.chance(4) ? dice.below(kinds) : kind, nc, d, dice),
              .self = self,
              .name = {}};
  scene.name = "scene " + std::to_string(seed) + ", kind " + std::to_string(kind) + ", " +
               name_of(scene.metric) + ", " + std::to_string(scene.queries.rows) + " x " +
               std::to_string(scene.right().rows) + " x " + std::to_string(d);
  return scene;
}

// A score that there is, or one near it.
inline double some_score(const Scene& scene, Dice& dice) {
  const double score =
      plain_score(scene.metric, scene.queries.row(dice.below(scene.queries.rows)),
                  scene.right().row(dice.below(scene.right().rows)), scene.queries.d);
  return dice.chance(2) ? score : score * (0.5 + dice.uniform());
}

inline bool same(const std::vector<Scored>& a, const std::vector<Scored>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Scored& x, const Scored& y) {
    return x.row == y.row && x.score == y.score;
  });
}

}  // namespace test

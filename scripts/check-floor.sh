#!/bin/sh
# Fails when an addon needs a newer C or C++ runtime than the oldest platform promised (that of
# Node.js 20 itself: glibc 2.28, GLIBCXX 3.4.21), or any library besides those of the C runtime.
set -u
newest() { readelf -V "$1" | grep -oE "$2_[0-9.]+" | sed 's/.*_//' | sort -Vu | tail -n 1; }
within() { [ -z "$1" ] || [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$2" ]; }

failed=0
for addon in "$@"; do
  glibc=$(newest "$addon" GLIBC)
  glibcxx=$(newest "$addon" GLIBCXX)
  foreign=$(readelf -d "$addon" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vE '^(lib(c|m|pthread|dl|rt|gcc_s|stdc\+\+)\.so|ld-linux|libc\.musl)' | tr '\n' ' ')
  echo "$(basename "$addon"): glibc ${glibc:-none}, glibcxx ${glibcxx:-none}, foreign libraries: ${foreign:-none}"
  readelf -W --dyn-syms "$addon" | grep -oE '[^ ]+@GLIBC_2\.(29|[3-9][0-9])' | sort -u
  within "$glibc" 2.28 && within "$glibcxx" 3.4.21 && [ -z "$foreign" ] || failed=1
done
[ "$failed" = 0 ] || echo 'Expected glibc <= 2.28, glibcxx <= 3.4.21 and no foreign library' >&2
exit "$failed"

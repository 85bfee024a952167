#!/usr/bin/env bash
# Fills the corpora with the fixtures: what a fuzzer would take long to find by itself. Needs a shell
# and the library's own example.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p corpus/decode_and_apply corpus/snapshot corpus/cursor

# Bodies as lines of a journal, and the evening in pieces.
for body in ../fixtures/zego/*.json; do
    name=$(basename "$body" .json)
    printf '{"at":1763596801000,"callback":%s}\n' "$(tr -d '\n' <"$body")" >"corpus/decode_and_apply/$name"
    cp "$body" "corpus/decode_and_apply/body-$name"
done
for answer in ../fixtures/zego/answers/*.json; do
    cp "$answer" "corpus/decode_and_apply/answer-$(basename "$answer" .json)"
done
# Bodies in their other forms, as lines of a journal.
{
    printf '{}\n\357\273\277{"event":"ping"}\n%%7B%%22event%%22%%3A%%22ping%%22%%7D\n'
    common='room_id=r&room_session_id=1&stream_id=camera&stream_sid=s-1'
    for urls in 'rtmp_url=a&rtmp_url=b' 'rtmp_url[]=a' 'rtmp_url%5B0%5D=a' 'rtmp_url=%5B%22a%22%5D'; do
        printf 'event=stream_create&%s&user_id=ann&create_time_ms=1763596800000&%s\n' "$common" "$urls"
    done
    printf 'event=stream_close&%s&destroy_timemillis=1763596801000\n' "$common"
} >corpus/decode_and_apply/forms
split -l 4 -a 3 ../fixtures/evening.jsonl corpus/decode_and_apply/evening-

# Any bytes are a play: these ones are saved, damaged, and restored.
for lines in corpus/decode_and_apply/evening-*; do
    name=$(basename "$lines")
    { printf '\002' && cat "$lines"; } >"corpus/snapshot/bytes-$name"
    { printf '\003' && cat "$lines"; } >"corpus/snapshot/values-$name"
done

# What broke something once.
for target in decode_and_apply snapshot cursor; do
    for found in ../fixtures/fuzzing/"$target"/*; do
        [ -e "$found" ] && cp "$found" "corpus/$target/"
    done
done

i=0
for text in newest~1001~1~a oldest~1000~1~b users~5~1~a id~0~3~b~1 1000~3~ann 1002~3~a~n 900~6~camera \
    901~2~c~ 18446744073709551615~1~0 newest~17 users~01~1~a '~~~' 0~0~; do
    i=$((i + 1))
    printf '\002%s' "$text" >"corpus/cursor/text-$i"
done
echo "$(find corpus -type f | wc -l) seeds"

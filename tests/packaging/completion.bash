#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# completion.bash COMPLETION VGPU_VIEW: what a user gets by Tab, and that it names just what the program has. Prints TAP.
set -u
PATH=$(dirname "$2"):$PATH
# shellcheck source=/dev/null
. "$1"

number=0
check() { # WHAT EXPECTED ACTUAL
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf '# expected: %s\n# got:      %s\n' "$2" "$3"
    fi
}
complete_words() { # WORD...: the completions of the last one
    COMP_WORDS=(vgpu-view "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _vgpu_view
    printf '%s ' "${COMPREPLY[@]}" | sed 's/ *$//'
}

check 'commands' 'stream shot' "$(complete_words s)"
check 'a source without a command' 'test:' "$(complete_words te)"
check 'an option of the window, without its command' '--require-zero-copy' "$(complete_words test: --req)"
check 'an option of the stream' '--node-name' "$(complete_words stream --nod)"
check 'no option of another command' '' "$(complete_words list --nod)"
check 'the words that an option takes' 'fit' "$(complete_words window --scale f)"

# Each word of a choice is one that the program takes.
for choice in 'window --scale' 'window --cursor' 'window --resize' 'window --latency' 'stream --role' 'stream --cursor' 'list --log-level'; do
    read -r command option <<<"$choice"
    refused=
    for value in $(_vgpu_view_values "$command" "$option"); do
        # What it complains of is the second option, not the value.
        said=$(vgpu-view "$command" "$option" "$value" --no-such-option 2>&1)
        case $said in *no-such-option*) ;; *) refused+="$value " ;; esac
    done
    check "the words of $choice" '' "$refused"
done
echo "1..$number"

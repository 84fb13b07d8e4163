# Completion of okno for bash: commands, their words and options, files. What there is to complete is
# read from the program's own --help, so this file names no command.
_okno() {
    local okno=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local at=1 help words
    COMPREPLY=()
    while [[ ${COMP_WORDS[at]} == -* && $at -lt $COMP_CWORD ]]; do
        [[ ${COMP_WORDS[at]} == --config || ${COMP_WORDS[at]} == --data ]] && ((at++))
        ((at++))
    done
    case $before in
    --config) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --data) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    esac
    if ((at >= COMP_CWORD)); then
        words=$("$okno" --help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words --config --data --help --version" -- "$word")
        return
    fi
    help=$("$okno" "${COMP_WORDS[at]}" --help 2>/dev/null)
    if [[ $word == -* ]]; then
        words=$(grep -oE -- '(^|[^[:alnum:]-])--?[a-z][a-z-]*' <<<"$help" | grep -oE -- '-[a-z-]+$' | sort -u)
        mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$word")
    elif ((COMP_CWORD == at + 1)); then # the command's own words: okno audit plan
        words=$(sed -nE 's/^(usage:|      ) okno [a-z]+ ([a-z]+)( .*)?$/\2/p' <<<"$help")
        [[ $help == *--kinds* ]] &&
            words+=" $("$okno" "${COMP_WORDS[at]}" --kinds 2>/dev/null | sed -n 's/^\([a-z]*\):.*/\1/p')"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    else
        # What the usage offers after this option, or nothing: then bash offers files.
        words=$(grep -oE -- "$before [a-z]+(\|[a-z]+)+" <<<"$help" | head -n 1)
        [[ $before == -* && $words ]] &&
            mapfile -t COMPREPLY < <(compgen -W "$(tr '|' ' ' <<<"${words#* }")" -- "$word")
    fi
}
complete -o default -F _okno okno

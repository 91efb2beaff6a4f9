/**
 * The completion script for bash.
 *
 * The library's needs the package bash-completion, knows no file names, and doubles names with a
 * colon, as all of Ollama's are; this one runs on any bash from 3.2 on.
 *
 * @module
 */

/** The script; it asks `flexllm complete` and understands the answer as the other shells' do. */
export const BASH_COMPLETION = `# bash completion for flexllm
_flexllm() {
  local line=\${COMP_LINE:0:COMP_POINT} current="" out directive name
  local -a words
  read -r -a words <<< "$line"
  case $line in
    *[[:space:]]) words+=("") ;;
    *) current=\${words[\${#words[@]}-1]} ;;
  esac
  COMPREPLY=()
  out=$("\${COMP_WORDS[0]}" complete -- "\${words[@]:1}" 2>/dev/null) || return
  directive=\${out##*:}
  # bash takes what follows a colon, or the = of a flag, for a word of its own.
  local value=$current before="" flag=""
  local special=$' \\t"\\'\\\\$\`&;|<>()*?'
  case $current in
    --*=*)
      value=\${current#*=}
      case $COMP_WORDBREAKS in *=*) ;; *) flag=\${current%%=*}= ;; esac ;;
  esac
  case $COMP_WORDBREAKS in *:*) before=\${value%"\${value##*:}"} ;; esac
  while IFS=$'\\t' read -r name _; do
    case $name in
      "" | :[0-9]*) ;;
      *)
        name=\${name#"$before"}
        # Blanks and the like must not end the word; what bash splits at anyway is left alone.
        if [[ $name == *["$special"]* ]]; then printf -v name %q "$name"; fi
        COMPREPLY+=("$flag$name") ;;
    esac
  done <<< "$out"
  # 4: no file names.
  if [ $((directive & 4)) -ne 0 ]; then compopt +o default 2>/dev/null; fi
  return 0
}
complete -o default -F _flexllm flexllm
`;

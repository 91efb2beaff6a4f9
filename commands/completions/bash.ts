/**
 * Contains the completion script for bash.
 *
 * The library's script requires the package bash-completion, does not complete file names, and duplicates
 * names that contain a colon, as Ollama's do. This one works with bash 3.2 and later.
 *
 * @module
 */

/** The script, which calls `flexllm complete` and parses its output as the other shells' scripts do. */
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
  # bash splits words at colons, and at the = of a flag.
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
        # Escape spaces and other special characters, but not those that bash splits at.
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

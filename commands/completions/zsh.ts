/**
 * Contains the completion script for zsh.
 *
 * The library's script treats text after a colon, as in Ollama's model names, as a description, and does
 * not quote names with spaces.
 *
 * @module
 */

/** The script, which calls `flexllm complete` and parses its output as the other shells' scripts do. */
export const ZSH_COMPLETION = `#compdef flexllm
# zsh completion for flexllm
_flexllm() {
  local program=\${(Q)words[1]} line name
  local -a typed lines candidates
  typed=("\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}")
  lines=("\${(@f)$(\${~program} complete -- "\${(@)typed}" 2>/dev/null)}")
  # Complete the value of --flag=value.
  if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
  for line in "\${(@)lines[1,-2]}"; do
    name=\${line%%$'\\t'*}
    name=\${name//\\\\/\\\\\\\\}
    name=\${name//:/\\\\:}
    if [[ $line == *$'\\t'* ]]; then name+=:\${line#*$'\\t'}; fi
    candidates+=("$name")
  done
  if (( $#candidates > 0 )); then _describe -V flexllm candidates; return; fi
  # 4: no file names; the same if there was no output.
  local directive=\${lines[-1]#:}
  if (( \${directive:-4} & 4 )); then return 1; fi
  _files
}
if [[ $funcstack[1] == _flexllm ]]; then
  _flexllm "$@"
else
  if ! (( $+functions[compdef] )); then autoload -Uz compinit && compinit; fi
  compdef _flexllm flexllm
fi
`;

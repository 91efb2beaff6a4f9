/**
 * The completion script for zsh.
 *
 * The library's takes what follows a colon in a name, as all of Ollama's have one, for a description,
 * and does not quote names with blanks.
 *
 * @module
 */

/** The script; it asks `flexllm complete` and understands the answer as the other shells' do. */
export const ZSH_COMPLETION = `#compdef flexllm
# zsh completion for flexllm
_flexllm() {
  local program=\${(Q)words[1]} line name
  local -a asked lines candidates
  asked=("\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}")
  lines=("\${(@f)$(\${~program} complete -- "\${(@)asked}" 2>/dev/null)}")
  # The value of a flag that is given as --flag=value.
  if [[ $PREFIX == --*=* ]]; then compset -P '*='; fi
  for line in "\${(@)lines[1,-2]}"; do
    name=\${line%%$'\\t'*}
    name=\${name//\\\\/\\\\\\\\}
    name=\${name//:/\\\\:}
    if [[ $line == *$'\\t'* ]]; then name+=:\${line#*$'\\t'}; fi
    candidates+=("$name")
  done
  if (( $#candidates > 0 )); then _describe -V flexllm candidates; return; fi
  # 4: no file names; nor when there was no answer.
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

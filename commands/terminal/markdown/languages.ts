/**
 * Lists the programming languages that code blocks are highlighted in. Each is loaded when it is used.
 *
 * @module
 */
import type { LanguageFn } from "highlight.js";

/** Loads the definition of a language. */
type Load = () => Promise<{ default: LanguageFn }>;

/** The languages by their names in highlight.js. The paths are literal so that bundlers find them. */
const LANGUAGES: Record<string, Load> = {
  apache: () => import("highlight.js/lib/languages/apache"),
  applescript: () => import("highlight.js/lib/languages/applescript"),
  arduino: () => import("highlight.js/lib/languages/arduino"),
  awk: () => import("highlight.js/lib/languages/awk"),
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  clojure: () => import("highlight.js/lib/languages/clojure"),
  cmake: () => import("highlight.js/lib/languages/cmake"),
  coffeescript: () => import("highlight.js/lib/languages/coffeescript"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  crystal: () => import("highlight.js/lib/languages/crystal"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  d: () => import("highlight.js/lib/languages/d"),
  dart: () => import("highlight.js/lib/languages/dart"),
  delphi: () => import("highlight.js/lib/languages/delphi"),
  diff: () => import("highlight.js/lib/languages/diff"),
  django: () => import("highlight.js/lib/languages/django"),
  dockerfile: () => import("highlight.js/lib/languages/dockerfile"),
  elixir: () => import("highlight.js/lib/languages/elixir"),
  elm: () => import("highlight.js/lib/languages/elm"),
  erb: () => import("highlight.js/lib/languages/erb"),
  erlang: () => import("highlight.js/lib/languages/erlang"),
  fortran: () => import("highlight.js/lib/languages/fortran"),
  fsharp: () => import("highlight.js/lib/languages/fsharp"),
  glsl: () => import("highlight.js/lib/languages/glsl"),
  go: () => import("highlight.js/lib/languages/go"),
  gradle: () => import("highlight.js/lib/languages/gradle"),
  graphql: () => import("highlight.js/lib/languages/graphql"),
  groovy: () => import("highlight.js/lib/languages/groovy"),
  handlebars: () => import("highlight.js/lib/languages/handlebars"),
  haskell: () => import("highlight.js/lib/languages/haskell"),
  http: () => import("highlight.js/lib/languages/http"),
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  julia: () => import("highlight.js/lib/languages/julia"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  latex: () => import("highlight.js/lib/languages/latex"),
  less: () => import("highlight.js/lib/languages/less"),
  lisp: () => import("highlight.js/lib/languages/lisp"),
  llvm: () => import("highlight.js/lib/languages/llvm"),
  lua: () => import("highlight.js/lib/languages/lua"),
  makefile: () => import("highlight.js/lib/languages/makefile"),
  markdown: () => import("highlight.js/lib/languages/markdown"),
  matlab: () => import("highlight.js/lib/languages/matlab"),
  nginx: () => import("highlight.js/lib/languages/nginx"),
  nim: () => import("highlight.js/lib/languages/nim"),
  nix: () => import("highlight.js/lib/languages/nix"),
  objectivec: () => import("highlight.js/lib/languages/objectivec"),
  ocaml: () => import("highlight.js/lib/languages/ocaml"),
  perl: () => import("highlight.js/lib/languages/perl"),
  pgsql: () => import("highlight.js/lib/languages/pgsql"),
  php: () => import("highlight.js/lib/languages/php"),
  powershell: () => import("highlight.js/lib/languages/powershell"),
  prolog: () => import("highlight.js/lib/languages/prolog"),
  properties: () => import("highlight.js/lib/languages/properties"),
  protobuf: () => import("highlight.js/lib/languages/protobuf"),
  python: () => import("highlight.js/lib/languages/python"),
  r: () => import("highlight.js/lib/languages/r"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  scala: () => import("highlight.js/lib/languages/scala"),
  scheme: () => import("highlight.js/lib/languages/scheme"),
  scss: () => import("highlight.js/lib/languages/scss"),
  shell: () => import("highlight.js/lib/languages/shell"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  tcl: () => import("highlight.js/lib/languages/tcl"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  vbnet: () => import("highlight.js/lib/languages/vbnet"),
  verilog: () => import("highlight.js/lib/languages/verilog"),
  vhdl: () => import("highlight.js/lib/languages/vhdl"),
  vim: () => import("highlight.js/lib/languages/vim"),
  wasm: () => import("highlight.js/lib/languages/wasm"),
  x86asm: () => import("highlight.js/lib/languages/x86asm"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};

/** Other names of the languages, as models write them behind a fence. */
const ALIASES: Record<string, string> = {
  apache: "apacheconf",
  applescript: "osascript",
  arduino: "ino",
  bash: "sh zsh shellscript fish",
  c: "h",
  clojure: "clj edn cljs",
  cmake: "cmake.in",
  coffeescript: "coffee cson iced",
  cpp: "cc c++ h++ hpp hh hxx cxx",
  crystal: "cr",
  csharp: "cs c# dotnet",
  delphi: "dpr dfm pas pascal",
  diff: "patch",
  django: "jinja",
  dockerfile: "docker",
  elixir: "ex exs",
  erlang: "erl",
  fortran: "f90 f95 f03 f08",
  fsharp: "fs f#",
  glsl: "hlsl wgsl",
  go: "golang",
  graphql: "gql",
  handlebars: "hbs html.hbs html.handlebars htmlbars",
  haskell: "hs",
  http: "https",
  ini: "toml dotenv env",
  java: "jsp",
  javascript: "js jsx mjs cjs",
  json: "jsonc json5 jsonl ndjson",
  julia: "jl",
  kotlin: "kt kts ktm ktx",
  latex: "tex bibtex",
  lisp: "elisp emacs-lisp common-lisp",
  lua: "pluto",
  makefile: "mk mak make",
  markdown: "md mkdown mkd",
  matlab: "octave",
  nginx: "nginxconf",
  nix: "nixos",
  objectivec: "mm objc obj-c obj-c++ objective-c++",
  ocaml: "ml",
  perl: "pl pm raku",
  pgsql: "postgres postgresql",
  powershell: "pwsh ps ps1",
  protobuf: "proto protobuf3",
  python: "py gyp ipython python3 py3",
  r: "rscript",
  ruby: "rb gemspec podspec thor irb rails",
  rust: "rs",
  scheme: "scm racket",
  scss: "sass",
  shell: "console shellsession",
  sql: "mysql sqlite plsql tsql",
  tcl: "tk",
  typescript: "ts tsx mts cts",
  vbnet: "vb",
  verilog: "v sv svh",
  vim: "viml vimscript",
  wasm: "wat",
  x86asm: "asm nasm assembly",
  xml: "html xhtml rss atom xjb xsd xsl plist wsf svg vue svelte",
  yaml: "yml",
};

const BY_NAME = new Map(
  Object.keys(LANGUAGES).flatMap((language) => [
    [language, language] as const,
    ...(ALIASES[language]?.split(" ") ?? []).map((alias) => [alias, language] as const),
  ]),
);

/** The languages that some language embeds: HTML contains CSS and JavaScript. */
const EMBEDDED: Record<string, string[]> = {
  xml: ["css", "javascript"],
  markdown: ["xml"],
  php: ["xml"],
  erb: ["xml", "ruby"],
  django: ["xml"],
  handlebars: ["xml"],
  shell: ["bash"],
  dockerfile: ["bash"],
};

/** A language, and those that it embeds. */
export interface Language {
  name: string;
  /** The definitions by name. */
  definitions: [name: string, load: Load][];
}

/** The language that a code block names, e.g. `py`; `undefined` if it is unknown. */
export function findLanguage(name: string): Language | undefined {
  const found = BY_NAME.get(name.toLowerCase());
  if (found === undefined) return undefined;
  const names = [found, ...EMBEDDED[found] ?? []];
  return { name: found, definitions: names.map((each) => [each, LANGUAGES[each]]) };
}

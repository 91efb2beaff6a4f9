/** The invariants of a batch, whatever has happened to it. */
import assert from "node:assert/strict";
import { jsonLines } from "../support/temporary_folder.ts";
import { answerTo, type HostileServer } from "./hostile_server.ts";

/** The input file for these prompts. */
export function inputOf(questions: readonly string[]): string {
  return questions.map((q, i) => `${JSON.stringify({ q, id: `id-${i}` })}\n`).join("");
}

export function questionsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `Question number ${i}.`);
}

/** Checks that every index occurs once and in order, with the server's answer to that prompt. */
export function assertComplete(result: string, questions: readonly string[]): void {
  const records = jsonLines(result);
  assert.deepEqual(records.map(({ index }) => index), questions.map((_, i) => i));
  for (const { index, status, output, input, metadata } of records) {
    assert.equal(status, "success", `record ${index}`);
    assert.equal(input.at(-1).content, questions[index]);
    assert.equal(output, answerTo(questions[index]));
    assert.deepEqual(metadata, { id: `id-${index}` });
  }
}

/** Checks the file of an unfinished run: lines can be missing or in any order, but none is wrong. */
export function assertSound(result: string, questions: readonly string[]): void {
  // A kill can leave a torn last line. All others are complete.
  const lines = result.split("\n");
  lines.pop();
  for (const line of lines) {
    const { index, status, output } = JSON.parse(line);
    if (status === "success") assert.equal(output, answerTo(questions[index]));
  }
}

/** Checks that nothing was billed twice, except for `inFlight` aborted requests. */
export function assertPaidOnce(server: HostileServer, inFlight = 0): void {
  const again = [...server.paid.values()].reduce((sum, times) => sum + times - 1, 0);
  assert.ok(
    again <= inFlight,
    `${again} answers were billed twice, but at most ${inFlight} were in flight`,
  );
}

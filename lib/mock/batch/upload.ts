/**
 * Stores the file of an upload form while it arrives.
 *
 * @module
 */
import type { BatchCore, FileRecord } from "./core.ts";
import { boundaryOf, fieldText, MultipartError, readForm } from "./multipart.ts";
import { describeBody } from "./read_body.ts";

/** What is wrong with an upload. */
export interface UploadProblem {
  message: string;
  param?: string;
}

/** How an API describes an uploaded file. */
export type DescribeUpload = (
  fields: Readonly<Record<string, string>>,
  fileName: string,
) => Omit<FileRecord, "id" | "bytes" | "createdAt"> | UploadProblem;

class Refused extends Error {
  readonly problem: UploadProblem;
  constructor(problem: UploadProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/**
 * Stores the file of a form.
 *
 * @param describe makes the record of the file from the other fields, or refuses the upload
 */
export async function storeUpload(
  request: Request,
  core: BatchCore,
  id: string,
  describe: DescribeUpload,
): Promise<FileRecord | UploadProblem> {
  const boundary = boundaryOf(request.headers.get("content-type"));
  if (boundary === undefined || request.body === null) {
    return { message: "Expected a body with content type multipart/form-data." };
  }
  const fields: Record<string, string> = {};
  const form = readForm(request.body, boundary);
  let fileName: string | undefined;
  const fileContent = async function* () {
    for await (const part of form) {
      if (part.name === "file") {
        fileName = part.fileName ?? "file";
        yield* part.content;
      } else {
        fields[part.name] = await fieldText(part.content);
      }
    }
  };
  try {
    const file = await core.storeFile(id, fileContent(), () => {
      if (fileName === undefined) {
        throw new Refused({ message: "'file' is a required property", param: "file" });
      }
      const made = describe(fields, fileName);
      if ("message" in made) throw new Refused(made);
      return made;
    });
    const shown = { ...fields, file: `${file.name} (${file.bytes} bytes)` };
    describeBody(request, JSON.stringify(shown));
    return file;
  } catch (error) {
    if (error instanceof Refused) return error.problem;
    if (error instanceof MultipartError) return { message: `Invalid form: ${error.message}.` };
    throw error;
  }
}

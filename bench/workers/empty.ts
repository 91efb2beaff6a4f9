/** What the start of a runtime takes. */
import process from "node:process";

process.stdout.write("\n");

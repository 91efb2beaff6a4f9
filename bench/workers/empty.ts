/** Does nothing, to measure the startup of a runtime. */
import process from "node:process";

process.stdout.write("\n");

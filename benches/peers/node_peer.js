// node-x12 on the 850s of a folder: the object model of an interchange, unchecked.
const fs = require("fs");
const path = require("path");
const { X12Parser } = require("node-x12");

const name = "part.edi";
const text = fs.readFileSync(path.join(process.argv[2], name), "utf8");
const expected = text.split("~ST*").length - 1;
const turns = [];
for (const begin = Date.now(); turns.length < 3 || Date.now() - begin < 5000; ) {
  const start = process.hrtime.bigint();
  const read = new X12Parser(false).parse(text);
  turns.push(Number(process.hrtime.bigint() - start));
  const sets = read.functionalGroups.reduce((sum, group) => sum + group.transactions.length, 0);
  if (sets !== expected) throw new Error(`it read ${sets} sets instead of ${expected}`);
}
const median = turns.sort((a, b) => a - b)[Math.floor(turns.length / 2)];
const kb_per_s = Math.floor(text.length / 1000 / (median / 1e9));
console.log(JSON.stringify({ stage: "tokenize", library: "node-x12", file: name, bytes: text.length, kb_per_s }));

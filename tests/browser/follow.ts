// What the types promise to those who follow, checked by the compiler and never run.
import { follow } from "../../static/live.js";
import type { FileInfo } from "../../static/live.js";

interface Prices {
  btc: { usd: number };
}

const stop: () => void = follow<Prices>("/prices.json", (prices) => prices.btc.usd.toFixed(2));
stop();

for await (const size of follow<FileInfo>("/photo.jpg")) console.log(size.size + 1);

// @ts-expect-error a number is no URL
follow(1, () => {});
// @ts-expect-error what is shown has a type
follow<Prices>("/prices.json", (prices) => prices.eth);

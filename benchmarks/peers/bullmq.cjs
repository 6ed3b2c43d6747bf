// A queue and a worker as BullMQ's documentation shows them, and a pool as undici's does.
const { Queue, Worker } = require("bullmq");
const { Pool } = require("undici");

const [what, port, count, last] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };

async function fill(messages, text) {
  const queue = new Queue("messages", { connection });
  const options = { removeOnComplete: true };
  for (let first = 0; first < messages; first += 1000) {
    const many = Math.min(1000, messages - first);
    await queue.addBulk(
      Array.from({ length: many }, (_, n) => ({ name: "send", data: { chat: 9e9 + first + n, text }, opts: options })),
    );
  }
  await queue.close();
}

function work(concurrency, server) {
  const pool = new Pool(server, { connections: concurrency });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  new Worker(
    "messages",
    async (job) => {
      const body = new URLSearchParams({ chat_id: job.data.chat, text: job.data.text, parse_mode: "HTML" }).toString();
      const answer = await pool.request({ path: "/bot5:benchmark/sendMessage", method: "POST", headers, body });
      await answer.body.json();
      if (answer.statusCode !== 200) throw new Error(String(answer.statusCode));
    },
    { connection, concurrency },
  );
}

if (what === "fill") fill(Number(count), last);
else work(Number(count), last);

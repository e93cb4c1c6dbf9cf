// Talking to the server: requests, uploads, and the stream of what happens to jobs.

async function read(response) {
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || `the studio answered ${response.status}; is it still running?`);
  return answer;
}

async function send(method, path, { json, body } = {}) {
  const headers = { "X-Requested-With": "pgen-studio" };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers, body: json === undefined ? body : JSON.stringify(json) });
  } catch {
    throw new Error("the studio does not answer; was it ended? Start it again, and load this page anew");
  }
}

export class Api extends EventTarget {
  // Events: "model" and "job", with what the server says in `detail`, and "lost", when it does not answer.

  async start() {
    const before = sessionStorage.getItem("tab"); // of this page, if it is loaded anew
    this.info = await read(await send("POST", `/api/tabs${before ? `?tab=${encodeURIComponent(before)}` : ""}`));
    sessionStorage.setItem("tab", this.info.tab);
    this.base = `/api/tabs/${this.info.tab}`;
    this.jobs = new Map();
    this.waiting = new Map();
    const stream = new EventSource(`${this.base}/events`);
    stream.onmessage = (event) => this.hear(JSON.parse(event.data));
    stream.onerror = () => this.dispatchEvent(new CustomEvent("lost"));
    return this.info;
  }

  hear(event) {
    if (event.type === "job") this.note(event);
    this.dispatchEvent(new CustomEvent(event.type, { detail: event }));
  }

  note(job) {
    const ended = (state) => ["done", "failed", "cancelled"].includes(state);
    if (ended(this.jobs.get(job.id)?.state) && !ended(job.state)) return;
    this.jobs.set(job.id, job);
    const waiting = this.waiting.get(job.id);
    if (!waiting || !ended(job.state)) return;
    this.waiting.delete(job.id);
    if (job.state === "done") waiting.resolve(job);
    else waiting.reject(Object.assign(new Error(job.error || "cancelled"), { cancelled: job.state === "cancelled" }));
  }

  // Ask for something; the answer to it.
  async call(method, path, content) {
    return read(await send(method, this.base + path, content));
  }

  // Ask for a job; the job, once it is done.
  async work(method, path, content) {
    return this.wait(await this.call(method, path, content));
  }

  // The same of a job that was asked for.
  wait(job) {
    return new Promise((resolve, reject) => {
      this.waiting.set(job.id, { resolve, reject });
      this.note(this.jobs.get(job.id) || job);
    });
  }

  cancel(id) {
    return this.call("DELETE", `/jobs/${id}`);
  }

  file(name, download = false) {
    return `${this.base}/files/${encodeURIComponent(name)}${download ? "?download" : ""}`;
  }

  async bytes(name) {
    const response = await send("GET", this.file(name));
    if (!response.ok) await read(response);
    return new Uint8Array(await response.arrayBuffer());
  }
}

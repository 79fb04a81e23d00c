// Browsers start no workers for pages that are opened from the disk: the search runs in a frame.
class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    this.scope = frame.contentWindow;
    this.scope.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }));
    this.scope.importScripts = (...urls) => Promise.all(urls.map(one => this.load(one)));
    this.loaded = this.load(url);
  }

  load(url) {
    return new Promise((resolve, reject) => {
      const script = this.scope.document.createElement("script");
      Object.assign(script, { src: url, onload: resolve, onerror: reject });
      this.scope.document.body.append(script);
    });
  }

  async postMessage(data) {
    await this.loaded;
    this.scope.dispatchEvent(new MessageEvent("message", { data }));
  }
}

if (location.protocol === "file:") window.Worker = FrameWorker;

import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import type { FastifyRequest } from 'fastify';
import { IMPORT_SETTINGS, type ImportSettings, ImportStore } from '#libs/imports';

export const UPLOADS_PATH = '/v1/uploads';

/**
 * The TUS protocol, version 1.0 (https://tus.io/protocols/resumable-upload), by its own library. Who may send what, and
 * for how long it is kept, is decided before it is asked.
 */
@Injectable()
export class ResumableUploads {
  private readonly newId = new AsyncLocalStorage<number>();
  private server: Server | undefined;

  constructor(
    private readonly store: ImportStore,
    @Inject(IMPORT_SETTINGS) private readonly settings: ImportSettings,
  ) {}

  /** Answers a request on the upload `id`, whatever else its address says. */
  async handle(request: FastifyRequest, id: number): Promise<Response> {
    return (await this.ready()).handleWeb(webRequest(request, `${UPLOADS_PATH}/${id}`));
  }

  /** Creates the upload `id`. */
  async create(request: FastifyRequest, id: number): Promise<Response> {
    const server = await this.ready();
    return this.newId.run(id, () => server.handleWeb(webRequest(request, UPLOADS_PATH)));
  }

  private async ready(): Promise<Server> {
    if (this.server) return this.server;
    await this.store.prepare();
    this.server = new Server({
      path: UPLOADS_PATH,
      relativeLocation: true,
      allowedOrigins: [],
      maxSize: this.settings.maxFileBytes,
      datastore: new FileStore({ directory: this.store.uploadsFolder }),
      namingFunction: () => String(this.newId.getStore()),
    });
    return this.server;
  }
}

/** The library looks for an id at the end of the whole address, behind a question mark too: it gets no more than the path. */
function webRequest({ raw, method, headers }: FastifyRequest, path: string): Request {
  const hasBody = method === 'POST' || method === 'PATCH';
  const sent = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return new Request(new URL(path, 'http://uploads.invalid'), {
    method,
    headers: sent,
    ...(hasBody && { body: Readable.toWeb(raw) as ReadableStream, duplex: 'half' }),
  });
}

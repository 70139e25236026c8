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

  /** Answers a request on one upload, or creates the one of `newId`. */
  async handle(request: FastifyRequest, newId?: number): Promise<Response> {
    const server = await this.ready();
    const answer = () => server.handleWeb(webRequest(request));
    return newId === undefined ? answer() : this.newId.run(newId, answer);
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

function webRequest({ raw, method, url, headers }: FastifyRequest): Request {
  const hasBody = method === 'POST' || method === 'PATCH';
  const sent = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return new Request(new URL(url, 'http://uploads.invalid'), {
    method,
    headers: sent,
    ...(hasBody && { body: Readable.toWeb(raw) as ReadableStream, duplex: 'half' }),
  });
}

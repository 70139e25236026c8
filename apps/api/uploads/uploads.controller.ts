import { Controller, Delete, Get, Head, Options, Param, Patch, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { byId, errorStatus, type UploadWire, uploadListResponse } from '#libs/contracts';
import { UploadsService } from '#libs/imports';
import { OrdersService } from '#libs/orders';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { ResumableUploads } from './resumable-uploads.ts';
import { OCTETS } from './streamed-bodies.ts';

type ById = z.output<typeof byId>;

const LENGTH = /^[1-9]\d{0,15}$/;

/** Files that are sent in parts and may be gone on with after a break: TUS 1.0. */
@Controller('v1/uploads')
export class UploadsController {
  constructor(
    private readonly uploads: UploadsService,
    private readonly resumable: ResumableUploads,
    private readonly orders: OrdersService,
  ) {}

  @Options()
  @Endpoint({ summary: 'What of TUS is spoken here', access: 'public' })
  options(@Res() reply: FastifyReply): void {
    const words = { 'Tus-Resumable': '1.0.0', 'Tus-Version': '1.0.0' };
    reply
      .status(204)
      .headers({ ...words, 'Tus-Extension': 'creation,creation-with-upload,termination,expiration' })
      .send();
  }

  @Post()
  @RouteConfig({ streams: OCTETS })
  @Endpoint({
    summary: 'Begin a resumable upload (TUS 1.0, header Upload-Length); its path comes in Location',
    access: 'write',
    status: 201,
    audit: 'upload.create',
  })
  async create(
    @CurrentPrincipal() { accountId, projectId }: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const length = String(request.headers['upload-length'] ?? '');
    if (!LENGTH.test(length)) {
      throw new ApiError('invalid_input', 'the header Upload-Length must say how many bytes the file has');
    }
    await this.orders.assertMayOrder(accountId);
    const { id, expiresAt } = await this.uploads.open(projectId, Number(length));
    let isMade = false;
    try {
      const answer = await this.resumable.create(request, id);
      isMade = answer.ok;
      reply.header('Upload-Expires', expiresAt.toUTCString());
      const upload = { id, expires: expiresAt.toISOString() };
      await send(reply, answer, { upload });
      return { upload };
    } finally {
      if (!isMade) await this.uploads.discard(id);
    }
  }

  @Get()
  @Endpoint({
    summary: 'List uploads that no image is made of yet',
    access: 'read',
    response: uploadListResponse,
  })
  async list(@ProjectId() projectId: number): Promise<{ uploads: UploadWire[] }> {
    const waiting = await this.uploads.list(projectId);
    const uploads = waiting.map(({ id, lengthBytes, hereBytes, createdAt, expiresAt }) => ({
      ...{ id, length_bytes: lengthBytes, here_bytes: hereBytes },
      ...{ created: createdAt.toISOString(), expires: expiresAt.toISOString() },
    }));
    return { uploads };
  }

  @Head(':id')
  @Endpoint({ summary: 'How much of an upload is here, in Upload-Offset', access: 'read', status: 200 })
  async look(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    await this.goOn(projectId, id, request, reply);
  }

  @Patch(':id')
  @RouteConfig({ streams: OCTETS })
  @Endpoint({
    summary: 'Send the next part, from Upload-Offset on',
    access: 'write',
    audit: 'upload.append',
  })
  async append(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    await this.goOn(projectId, id, request, reply);
  }

  @Delete(':id')
  @Endpoint({ summary: 'Give an upload up', access: 'write', audit: 'upload.delete' })
  async delete(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    await this.uploads.waiting(projectId, id);
    await this.uploads.discard(id);
    reply.header('Tus-Resumable', '1.0.0');
  }

  /** What is asked of an upload that waits. @throws ImportsError `upload_not_found`, `upload_taken` */
  private async goOn(projectId: number, id: number, request: FastifyRequest, reply: FastifyReply) {
    const { expiresAt } = await this.uploads.waiting(projectId, id);
    reply.header('Upload-Expires', expiresAt.toUTCString());
    await send(reply, await this.resumable.handle(request, id));
  }
}

/** The library's answer, its refusals in the envelope of the API. */
async function send(reply: FastifyReply, answer: Response, body?: object): Promise<void> {
  const own = [...answer.headers].filter(([name]) => !/^(content-|access-control-)/.test(name));
  reply.status(answer.status).headers(Object.fromEntries(own));
  if (!answer.ok) {
    const message = (await answer.text()).trim();
    const code = Object.entries(errorStatus).find(([, status]) => status === answer.status)?.[0];
    await reply.send({ error: { code: code ?? 'invalid_input', message, details: null } });
  } else {
    await (body ? reply.send(body) : reply.send());
  }
}

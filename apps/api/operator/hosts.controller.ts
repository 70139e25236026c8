import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  byId,
  findingListQuery,
  findingListResponse,
  hostListQuery,
  hostListResponse,
  hostResponse,
} from '#libs/contracts';
import { FindingsService, HostsService } from '#libs/placement';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { HostPresenter, presentFinding } from './host.presenter.ts';

type ById = z.output<typeof byId>;

@Controller('v1')
export class HostsController {
  constructor(
    private readonly hosts: HostsService,
    private readonly findings: FindingsService,
    private readonly presenter: HostPresenter,
  ) {}

  @Get('hosts')
  @Endpoint({ summary: 'List hosts', access: 'operator', response: hostListResponse })
  async list(@Query({ schema: hostListQuery }) parsed: z.output<typeof hostListQuery>) {
    const query = toListQuery(parsed);
    const page = await this.hosts.list(query);
    return { hosts: await this.presenter.present(page.items), meta: metaOf(query, page) };
  }

  @Get('hosts/:id')
  @Endpoint({ summary: 'Get a host', access: 'operator', response: hostResponse })
  async get(@Param({ schema: byId }) { id }: ById) {
    return { host: await this.presenter.presentOne(await this.hosts.get(id)) };
  }

  @Post('hosts/:id/actions/drain')
  @Endpoint({
    summary: 'Place no more servers on a host',
    audit: 'host.drain',
    access: 'operator',
    response: hostResponse,
  })
  async drain(@Param({ schema: byId }) { id }: ById) {
    return { host: await this.presenter.presentOne(await this.hosts.setState(id, 'draining')) };
  }

  @Post('hosts/:id/actions/activate')
  @Endpoint({
    summary: 'Place servers on a host again',
    audit: 'host.activate',
    access: 'operator',
    response: hostResponse,
  })
  async activate(@Param({ schema: byId }) { id }: ById) {
    return { host: await this.presenter.presentOne(await this.hosts.setState(id, 'active')) };
  }

  @Get('findings')
  @Endpoint({
    summary: 'What the reconciler found that is not as the database says',
    access: 'operator',
    response: findingListResponse,
  })
  async listFindings(@Query({ schema: findingListQuery }) parsed: z.output<typeof findingListQuery>) {
    const query = toListQuery(parsed);
    const [page, hosts] = await Promise.all([this.findings.list(query), this.hosts.all()]);
    return {
      findings: page.items.map((finding) => presentFinding(finding, hosts)),
      meta: metaOf(query, page),
    };
  }
}

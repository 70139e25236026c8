import { Controller, Get, Param } from '@nestjs/common';
import type { z } from 'zod';
import { CatalogService } from '#libs/catalog';
import { byName, catalogResponse, productResponse } from '#libs/contracts';
import { Endpoint } from '../http/endpoint.ts';
import { CatalogPresenter, presentProduct } from './catalog.presenter.ts';

@Controller('v1/catalog')
export class CatalogController {
  constructor(
    private readonly catalog: CatalogService,
    private readonly presenter: CatalogPresenter,
  ) {}

  @Get()
  @Endpoint({
    summary: 'All products with their sizes and prices',
    access: 'public',
    response: catalogResponse,
  })
  async list() {
    const products = await this.catalog.products();
    return {
      currency: this.presenter.currency,
      payment: { emulated: this.presenter.isPaymentEmulated },
      products: products.map(presentProduct),
    };
  }

  @Get(':name')
  @Endpoint({ summary: 'One product', access: 'public', response: productResponse })
  async get(@Param({ schema: byName }) { name }: z.output<typeof byName>) {
    return { product: presentProduct(await this.catalog.product(name)) };
  }
}

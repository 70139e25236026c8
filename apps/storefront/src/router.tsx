import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  notFound,
  redirect,
} from '@tanstack/react-router';
import { z } from 'zod';
import { receivableAge } from '#libs/contracts';
import { accountQuery } from './api/account.ts';
import { SAGA_STATES } from './api/operator.ts';
import { queryClient } from './api/query-client.ts';
import { Layout } from './components/shell/layout.tsx';
import { CatalogPage } from './pages/catalog/catalog-page.tsx';
import { CrashPage, NotFoundPage, PendingPage } from './pages/fallback-pages.tsx';

const rootRoute = createRootRoute({
  component: Layout,
  notFoundComponent: NotFoundPage,
});
const parent = () => rootRoute;

/** Sends visitors to the sign-in page, and afterwards back to where they wanted to be. */
async function requireAccount({ location }: { location: { href: string } }): Promise<void> {
  const account = await queryClient.ensureQueryData(accountQuery);
  if (account === null) throw redirect({ to: '/sign-in', search: { next: location.href } });
}

/** An id in a path. What cannot be one leads to the page that says so. */
function idInPath(text: string): number {
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
  throw notFound();
}

/** Only paths of our own may be returned to. */
const nextPath = z.object({
  next: z
    .string()
    .regex(/^\/(?![/\\])/)
    .optional()
    .catch(undefined),
});

/** The page of a long list; the first one is not named. */
const listPage = z.object({ page: z.coerce.number().int().min(1).optional().catch(undefined) });

/** What the page of the bank adds to the address on the way back; its secret is not kept there. */
const fromTheBank = z.object({
  redirect_status: z.string().optional().catch(undefined),
  payment_intent: z.unknown().optional(),
  payment_intent_client_secret: z.unknown().optional(),
});

const catalogRoute = createRoute({
  getParentRoute: parent,
  path: '/',
  validateSearch: z.object({
    category: z.string().optional().catch(undefined),
    q: z.coerce.string().optional().catch(undefined),
  }),
  component: CatalogPage,
});
const productRoute = createRoute({
  getParentRoute: parent,
  path: '/products/$name',
  component: lazyRouteComponent(() => import('./pages/product/product-page.tsx'), 'ProductPage'),
});
const configureRoute = createRoute({
  getParentRoute: parent,
  path: '/configure/$name',
  validateSearch: z.object({ type: z.string().optional().catch(undefined) }),
  component: lazyRouteComponent(() => import('./pages/order/configure-page.tsx'), 'ConfigurePage'),
});
const orderAccountRoute = createRoute({
  getParentRoute: parent,
  path: '/order/account',
  component: lazyRouteComponent(() => import('./pages/order/account-step-page.tsx'), 'AccountStepPage'),
});
const orderReviewRoute = createRoute({
  getParentRoute: parent,
  path: '/order/review',
  component: lazyRouteComponent(() => import('./pages/order/review-page.tsx'), 'ReviewPage'),
});
const orderRoute = createRoute({
  getParentRoute: parent,
  path: '/orders/$orderId',
  params: { parse: ({ orderId }) => ({ orderId: idInPath(orderId) }) },
  validateSearch: fromTheBank,
  beforeLoad: async ({ location, params, search: { redirect_status, ...secrets } }) => {
    if (Object.values(secrets).some((value) => value !== undefined))
      throw redirect({ to: '/orders/$orderId', params, search: { redirect_status }, replace: true });
    await requireAccount({ location });
  },
  component: lazyRouteComponent(() => import('./pages/order/order-page.tsx'), 'OrderPage'),
});
const cardReturnRoute = createRoute({
  getParentRoute: parent,
  path: '/cards/return',
  validateSearch: z.object({
    setup: z.string().optional().catch(undefined),
    cancelled: z.unknown().optional(),
  }),
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/account/card-return-page.tsx'), 'CardReturnPage'),
});
const signInRoute = createRoute({
  getParentRoute: parent,
  path: '/sign-in',
  validateSearch: nextPath,
  component: lazyRouteComponent(() => import('./pages/account/sign-in-page.tsx'), 'SignInPage'),
});
const signUpRoute = createRoute({
  getParentRoute: parent,
  path: '/sign-up',
  validateSearch: nextPath,
  component: lazyRouteComponent(() => import('./pages/account/sign-up-page.tsx'), 'SignUpPage'),
});
const forgotPasswordRoute = createRoute({
  getParentRoute: parent,
  path: '/forgot-password',
  component: lazyRouteComponent(
    () => import('./pages/account/forgot-password-page.tsx'),
    'ForgotPasswordPage',
  ),
});
const resetPasswordRoute = createRoute({
  getParentRoute: parent,
  path: '/reset-password',
  component: lazyRouteComponent(() => import('./pages/account/reset-password-page.tsx'), 'ResetPasswordPage'),
});
const confirmEmailRoute = createRoute({
  getParentRoute: parent,
  path: '/confirm-email',
  component: lazyRouteComponent(() => import('./pages/account/confirm-email-page.tsx'), 'ConfirmEmailPage'),
});
const accountRoute = createRoute({
  getParentRoute: parent,
  path: '/account',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/account/account-page.tsx'), 'AccountPage'),
});
const tokensRoute = createRoute({
  getParentRoute: parent,
  path: '/tokens',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/tokens/tokens-page.tsx'), 'TokensPage'),
});
const sshKeysRoute = createRoute({
  getParentRoute: parent,
  path: '/ssh-keys',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/ssh-keys/ssh-keys-page.tsx'), 'SshKeysPage'),
});
const volumesRoute = createRoute({
  getParentRoute: parent,
  path: '/volumes',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/volumes/volumes-page.tsx'), 'VolumesPage'),
});
const imagesRoute = createRoute({
  getParentRoute: parent,
  path: '/images',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/images/images-page.tsx'), 'ImagesPage'),
});
const importRoute = createRoute({
  getParentRoute: parent,
  path: '/images/import',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/images/import-page.tsx'), 'ImportPage'),
});
const serversRoute = createRoute({
  getParentRoute: parent,
  path: '/servers',
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/servers/servers-page.tsx'), 'ServersPage'),
});
const serverRoute = createRoute({
  getParentRoute: parent,
  path: '/servers/$serverId',
  params: { parse: ({ serverId }) => ({ serverId: idInPath(serverId) }) },
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/servers/server-page.tsx'), 'ServerPage'),
});
const consoleRoute = createRoute({
  getParentRoute: parent,
  path: '/servers/$serverId/console',
  params: { parse: ({ serverId }) => ({ serverId: idInPath(serverId) }) },
  validateSearch: z.object({ type: z.enum(['vnc', 'serial']).optional().catch(undefined) }),
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/servers/console-page.tsx'), 'ConsolePage'),
});
const newRecipeRoute = createRoute({
  getParentRoute: parent,
  path: '/cook',
  component: lazyRouteComponent(() => import('./pages/recipes/new-recipe-page.tsx'), 'NewRecipePage'),
});
const recipesRoute = createRoute({
  getParentRoute: parent,
  path: '/recipes',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/recipes/recipes-page.tsx'), 'RecipesPage'),
});
const recipeRoute = createRoute({
  getParentRoute: parent,
  path: '/recipes/$recipeId',
  params: { parse: ({ recipeId }) => ({ recipeId: idInPath(recipeId) }) },
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/recipes/recipe-page.tsx'), 'RecipePage'),
});
const cookRoute = createRoute({
  getParentRoute: parent,
  path: '/cooks/$cookId',
  params: { parse: ({ cookId }) => ({ cookId: idInPath(cookId) }) },
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/cooks/cook-page.tsx'), 'CookPage'),
});
const rehearsalRoute = createRoute({
  getParentRoute: parent,
  path: '/rehearsals/$rehearsalId',
  params: { parse: ({ rehearsalId }) => ({ rehearsalId: idInPath(rehearsalId) }) },
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/rehearsals/rehearsal-page.tsx'), 'RehearsalPage'),
});
const billingRoute = createRoute({
  getParentRoute: parent,
  path: '/billing',
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/billing/month-page.tsx'), 'MonthPage'),
});
const invoicesRoute = createRoute({
  getParentRoute: parent,
  path: '/billing/invoices',
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/billing/invoices-page.tsx'), 'InvoicesPage'),
});
const invoiceRoute = createRoute({
  getParentRoute: parent,
  path: '/billing/invoices/$invoiceId',
  params: { parse: ({ invoiceId }) => ({ invoiceId: idInPath(invoiceId) }) },
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/billing/invoice-page.tsx'), 'InvoicePage'),
});
const creditRoute = createRoute({
  getParentRoute: parent,
  path: '/billing/credit',
  validateSearch: listPage.extend({ paid: z.unknown().optional() }),
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/billing/credit-page.tsx'), 'CreditPage'),
});
const billingSettingsRoute = createRoute({
  getParentRoute: parent,
  path: '/billing/settings',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/billing/settings-page.tsx'), 'BillingSettingsPage'),
});
const hostsRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/hosts',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/operator/hosts-page.tsx'), 'HostsPage'),
});
const sagasRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/sagas',
  validateSearch: z.object({ state: z.enum(SAGA_STATES).optional().catch(undefined) }),
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/operator/sagas-page.tsx'), 'SagasPage'),
});
const sagaRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/sagas/$sagaId',
  params: { parse: ({ sagaId }) => ({ sagaId: idInPath(sagaId) }) },
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/operator/saga-page.tsx'), 'SagaPage'),
});
const findingsRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/findings',
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/operator/findings-page.tsx'), 'FindingsPage'),
});
const revenueRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/revenue',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/revenue-page.tsx'), 'RevenuePage'),
});
const receivablesRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/receivables',
  validateSearch: listPage.extend({
    age: receivableAge.optional().catch(undefined),
    customer: z.coerce.number().int().min(1).optional().catch(undefined),
  }),
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/receivables-page.tsx'), 'ReceivablesPage'),
});
const bookedInvoiceRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/invoices/$invoiceId',
  params: { parse: ({ invoiceId }) => ({ invoiceId: idInPath(invoiceId) }) },
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/booked-invoice-page.tsx'), 'BookedInvoicePage'),
});
const customersRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/customers',
  validateSearch: listPage.extend({ search: z.string().optional().catch(undefined) }),
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/customers-page.tsx'), 'CustomersPage'),
});
const customerRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/customers/$customerId',
  params: { parse: ({ customerId }) => ({ customerId: idInPath(customerId) }) },
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/customer-page.tsx'), 'CustomerPage'),
});
const promotionsRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/promotions',
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/promotions-page.tsx'), 'PromotionsPage'),
});
const refundsRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/refunds',
  validateSearch: listPage,
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/refunds-page.tsx'), 'RefundsPage'),
});
const ledgerRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/ledger',
  validateSearch: listPage.extend({
    account: z.string().optional().catch(undefined),
    customer_id: z.coerce.number().int().min(1).optional().catch(undefined),
    cause_kind: z.string().optional().catch(undefined),
    cause_id: z.coerce.string().optional().catch(undefined),
    month: z.string().optional().catch(undefined),
    from: z.string().optional().catch(undefined),
    until: z.string().optional().catch(undefined),
  }),
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/ledger-page.tsx'), 'LedgerPage'),
});
const pricesRoute = createRoute({
  getParentRoute: parent,
  path: '/operator/prices',
  beforeLoad: requireAccount,
  component: lazyRouteComponent(() => import('./pages/books/prices-page.tsx'), 'PricesPage'),
});

const routeTree = rootRoute.addChildren([
  catalogRoute,
  productRoute,
  configureRoute,
  orderAccountRoute,
  orderReviewRoute,
  orderRoute,
  cardReturnRoute,
  signInRoute,
  signUpRoute,
  forgotPasswordRoute,
  resetPasswordRoute,
  confirmEmailRoute,
  accountRoute,
  tokensRoute,
  sshKeysRoute,
  volumesRoute,
  imagesRoute,
  importRoute,
  serversRoute,
  serverRoute,
  consoleRoute,
  newRecipeRoute,
  recipesRoute,
  recipeRoute,
  cookRoute,
  rehearsalRoute,
  billingRoute,
  invoicesRoute,
  invoiceRoute,
  creditRoute,
  billingSettingsRoute,
  hostsRoute,
  sagasRoute,
  sagaRoute,
  findingsRoute,
  revenueRoute,
  receivablesRoute,
  bookedInvoiceRoute,
  customersRoute,
  customerRoute,
  promotionsRoute,
  refundsRoute,
  ledgerRoute,
  pricesRoute,
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultErrorComponent: CrashPage,
  defaultPendingComponent: PendingPage,
  defaultPendingMs: 300,
  defaultPendingMinMs: 0,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

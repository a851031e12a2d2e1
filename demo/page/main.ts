import { startApp } from './app.ts';
import { openClient } from './device/open-client.ts';
import { createOfficeApi } from './office/office-api.ts';
import { becomeTheTab, showTakenOver } from './shell/one-tab.ts';

const stopApp = startApp({ openClient, officeApi: createOfficeApi() });
becomeTheTab(() => {
  stopApp();
  showTakenOver();
});

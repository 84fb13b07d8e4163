/* Where things stand, in design pixels of 640x360. */
#ifndef TOOLS_SCENE_LAYOUT_H
#define TOOLS_SCENE_LAYOUT_H

#define DOOR_X (-44)    /* beyond the left edge: customers come from there */
#define CUSTOMER_X 257  /* stands here */
#define COUNTER_X 284   /* left edge of the counter */
#define COUNTER_END 548 /* right edge */
#define COUNTER_Y 214   /* top */
#define PANEL_X 327     /* the panel's middle button */
#define PANEL_Y 190     /* height of its buttons */
#define PANEL_STEP 25   /* from button to button */
#define PANEL_R 9       /* a button's radius */
#define GOODS_X 388     /* things on the counter */
#define BUTTON_X 432    /* the seller's button */
#define SELLER_X 462    /* stands here, behind the counter */
#define SELLER_REST_X 446
#define SELLER_REST_Y 208
#define BACK_X 690 /* beyond the right edge: staff come from there */
#define TILL_X 506 /* the till's screen */

#endif

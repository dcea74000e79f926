/* empty: a FastCGI handler that does nothing, the raw limit for the others. */

#include <fcgiapp.h>

int
main(void)
{
	FCGX_Request request;

	FCGX_Init();
	FCGX_InitRequest(&request, 0, 0);
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_FPrintF(request.out,
			"Status: 200\r\nContent-Type: application/json\r\n"
			"Content-Length: 2\r\n\r\n{}");
		FCGX_Finish_r(&request);
	}
	return 0;
}

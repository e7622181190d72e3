#include "core/model/torch_pch.h"

// Precompiled for every source of core/model and core/train that uses LibTorch: parsing it costs several seconds.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
